"""Start the mail sink: ``python -m whitefelt.sandbox.mail --port N --smtp-port M --data DIR``."""

import logging

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from .._books import Books
from .._server import arguments, serve
from .app import create_app
from .store import keep, open_books

_SIZE_LIMIT = 8 * 1024 * 1024


class _Sink:
    """Says 250 to everybody, after the message is on the disk."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content or "").encode()
        keep(self._books, envelope.mail_from or "", envelope.rcpt_tos, raw)
        return "250 2.0.0 kept, not delivered"


def main() -> None:
    """Open the books, listen for mail and for readers until told to end."""
    options = arguments("mail", smtp_port="SMTP port on 127.0.0.1")
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    books = open_books(options.data)
    controller = Controller(
        _Sink(books), hostname="127.0.0.1", port=options.smtp_port, data_size_limit=_SIZE_LIMIT, enable_SMTPUTF8=True
    )
    controller.start()
    logging.getLogger("sandbox").info("listening on smtp://127.0.0.1:%s", options.smtp_port)
    serve(create_app(books), options.port, controller.stop)


if __name__ == "__main__":
    main()
