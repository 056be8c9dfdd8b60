"""Charts: a table in, a plotly figure with its finding and its alt text out. Pure functions, no Streamlit."""
