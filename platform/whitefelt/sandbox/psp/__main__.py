"""Start the payment provider: ``python -m whitefelt.sandbox.psp --port N --data DIR --config FILE.json``."""

from .._server import Config, arguments, serve
from .app import create_app
from .books import open_books
from .sender import build_provider


def main() -> None:
    """Open the books, go on with what was left, serve until told to end."""
    options = arguments("psp")
    provider = build_provider(open_books(options.data), Config(options.config))
    provider.pump.start()
    serve(create_app(provider), options.port, provider.pump.stop)


if __name__ == "__main__":
    main()
