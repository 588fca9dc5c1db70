//! Copies of a SQLite database, taken while it is in use.
