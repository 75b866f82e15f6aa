"""A model that is loaded and answers: loading.py and session.py."""
