"""Start the studio: ``python -m whitefelt.sandbox.studio --port N --data DIR --config FILE.json``."""

from .._server import Config, arguments, serve
from .app import create_app
from .books import open_books
from .rounds import recover
from .sending import build_studio


def main() -> None:
    """Open the books, take up what was left, serve until told to end."""
    options = arguments("studio")
    studio = build_studio(open_books(options.data), Config(options.config))
    recover(studio)
    studio.pump.start()
    serve(create_app(studio), options.port, studio.pump.stop)


if __name__ == "__main__":
    main()
