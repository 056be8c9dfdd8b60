"""What is particular to one page. A folder has the name of its file in `pages/`.

This package is not called `pages`: Streamlit takes a folder of that name beside `ui/main.py` for the pages of the app
and runs them without the frame.
"""
