"""What the bench writes: tables, summary, page."""
