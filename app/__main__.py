"""`python -m app` is `syncledger`.

Law: nothing happens on import.
"""

from app.cli import main

if __name__ == "__main__":
    main()
