"""The published figures of the literature and of course notes, each judged by an exact count or another print."""
