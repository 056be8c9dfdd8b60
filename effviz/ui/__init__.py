"""The app: frame, widgets and parts of the pages. It imports streamlit, never torch."""
