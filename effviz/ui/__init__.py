"""The app: the frame and the parts of its pages. Knows Streamlit, never torch."""
