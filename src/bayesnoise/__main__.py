"""`python -m bayesnoise`: the command line."""

from bayesnoise.cli import main

if __name__ == "__main__":
    main()
