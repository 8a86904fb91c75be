"""Where do young people go after 16 and after 18, and does it last?"""
