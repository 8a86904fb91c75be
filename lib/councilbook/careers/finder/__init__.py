"""Options finder: what can I do after 16, how do I get there, and why is it on my list."""
