"""Mail by SMTP (RFC 5321), to a server that takes it on. TLS unless the server is this very machine."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP as LINES
from email.utils import format_datetime, formataddr
from typing import Any

from whitefelt.crm.ports import Account, Mail, RecipientRefused
from whitefelt.kernel import clock
from whitefelt.kernel.http import VendorRefused, VendorUnavailable, VendorUnknown
from whitefelt.kernel.registry import Setting

NAME = "smtp"
CONFIG = (
    Setting("host", "The mail server that takes our mails."),
    Setting("port", "Its port: 587 with STARTTLS, 465 with TLS from the first byte."),
    Setting("sender", "The address that mails come from; answers go there."),
    Setting("security", "starttls (default), tls, or none; none only on this machine.", required=False),
    Setting("username", "Name to sign in with at the server.", secret=True, required=False),
    Setting("password", "Password to sign in with at the server.", secret=True, required=False),
)
#: Each step of the conversation may take this long.
TIMEOUT_SECONDS = 10
_LOCAL = ("127.0.0.1", "::1", "localhost")


def ORIGINS(config: Mapping[str, Any]) -> Mapping[str, str]:
    """A browser never talks to a mail server."""
    return {}


def send(account: Account, mail: Mail) -> None:
    """Hand the mail over; RecipientRefused, VendorRefused, VendorUnavailable or VendorUnknown when it is not taken."""
    message = compose(mail, str(account.config["sender"]))
    server = _connect(account)
    try:
        server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, _ = next(iter(error.recipients.values()))
        if code >= 500:
            raise RecipientRefused(f"SMTP {code}") from error
        raise VendorUnavailable(f"SMTP {code}") from error
    except smtplib.SMTPResponseException as error:
        raise _answered(error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise VendorUnknown(type(error).__name__) from error
    finally:
        _leave(server)


def compose(mail: Mail, sender: str) -> EmailMessage:
    """The message: text first, HTML beside it; ValueError if a header would hold a line break."""
    message = EmailMessage(policy=LINES)
    message["From"] = formataddr((mail.sender_name, sender))
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{mail.reference}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _connect(account: Account) -> smtplib.SMTP:
    host, port = str(account.config["host"]), int(account.config["port"])
    security = account.config.get("security") or ("none" if host in _LOCAL else "starttls")
    if security not in ("none", "starttls", "tls") or (security == "none" and host not in _LOCAL):
        raise VendorRefused(0, b"mail leaves this machine encrypted or not at all")
    server: smtplib.SMTP | None = None
    try:
        if security == "tls":
            server = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
        if security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if account.secrets.get("username"):
            server.login(str(account.secrets["username"]), str(account.secrets.get("password", "")))
    except smtplib.SMTPResponseException as error:
        _leave(server)
        raise _answered(error) from error
    except (smtplib.SMTPException, OSError) as error:
        _leave(server)
        raise VendorUnavailable(type(error).__name__) from error
    return server


def _answered(error: smtplib.SMTPResponseException) -> VendorRefused | VendorUnavailable:
    """4xx means later, 5xx means never; nothing was taken either way."""
    if error.smtp_code >= 500:
        return VendorRefused(error.smtp_code, b"")
    return VendorUnavailable(f"SMTP {error.smtp_code}")


def _leave(server: smtplib.SMTP | None) -> None:
    if server is None:
        return
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()
