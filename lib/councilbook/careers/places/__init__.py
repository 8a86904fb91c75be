"""Where can somebody learn after 16, and where do young people live?"""
