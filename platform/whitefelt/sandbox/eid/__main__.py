"""Start the electronic identity: ``python -m whitefelt.sandbox.eid --port N --data DIR --config FILE.json``."""

from .._server import Config, arguments, serve
from .app import create_app
from .orders import open_books


def main() -> None:
    """Open the books and serve until told to end."""
    options = arguments("eid")
    serve(create_app(open_books(options.data), Config(options.config)), options.port)


if __name__ == "__main__":
    main()
