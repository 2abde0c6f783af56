"""`python -m quantdesk` is `quantdesk`."""

from quantdesk.cli import main

if __name__ == "__main__":
    main()
