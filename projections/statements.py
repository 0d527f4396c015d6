"""The SQL of this room by name.

Law: one file of statements, read once.
"""

from pathlib import Path

from eventstore.statements import statements

SQL = statements(Path(__file__).with_name("queries.sql"))
