"""`python -m app` is `syncledger`."""

from app.cli import main

main()
