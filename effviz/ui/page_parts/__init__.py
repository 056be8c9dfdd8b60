"""Parts that only one page has, in a folder with the name of the page's file in `pages/`.

This package is not called `pages`: Streamlit runs every file of a folder with that name beside `ui/main.py` as a page
without its frame.
"""
