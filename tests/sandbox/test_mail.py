"""Postbox over real SMTP and HTTP: kept, listed, shown harmlessly, forgotten."""

import smtplib
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from sandbox.vendors import Vendor, call, free_port


@pytest.fixture(scope="module")
def smtp_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def mail(start_vendor: Callable[..., Vendor], smtp_port: int) -> Vendor:
    return start_vendor("mail", None, "--smtp-port", str(smtp_port))


def send(smtp_port: int, to: str, subject: str, html: str | None = None) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Aurora <hello@aurora.example>", to, subject
    message.set_content("Grüße!\nConfirm: http://aurora.localhost:8000/confirm?t=abc")
    if html:
        message.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", smtp_port, timeout=5) as client:
        client.send_message(message)


def test_mail_is_kept_and_found_by_its_reader(mail: Vendor, smtp_port: int) -> None:
    for number in range(5):
        send(smtp_port, "Anna@Example.com", f"Nr {number} – hej", "<b>hej</b>" if number % 2 else None)
    send(smtp_port, "bert@example.com", "not Anna's")
    status, found = mail.get("/api/messages?to=anna@example.com&limit=3")
    assert status == 200 and found["total"] == 5 and found["next_offset"] == 3
    assert [item["subject"] for item in found["items"]] == ["Nr 4 – hej", "Nr 3 – hej", "Nr 2 – hej"]
    first, second = found["items"][:2]
    assert "Grüße!" in first["text"] and first["html"] is None and "<b>hej</b>" in second["html"]
    assert first["links"] == ["http://aurora.localhost:8000/confirm?t=abc"] and first["to"] == ["anna@example.com"]
    rest = mail.get("/api/messages?to=anna@example.com&limit=3&offset=3")[1]
    assert len(rest["items"]) == 2 and rest["next_offset"] is None
    assert mail.get(f"/api/messages/{first['id']}")[1] == first
    assert mail.get("/api/messages?limit=0")[0] == 400
    assert mail.get("/api/messages/999999999999999999999")[0] == 404


def test_the_inbox_shows_mail_and_runs_nothing_of_it(mail: Vendor, smtp_port: int) -> None:
    send(smtp_port, "eve@example.com", "<script>alert(1)</script>", "<h1>Hi</h1><script>alert(2)</script>")
    item = mail.get("/api/messages?to=eve@example.com")[1]["items"][0]
    page = mail.get(f"/messages/{item['id']}")[1]
    assert "<script>" not in page and "&lt;script&gt;alert(1)" in page and "<iframe sandbox " in page
    connection_status, framed = call(mail.port, "GET", f"/messages/{item['id']}/html")
    assert connection_status == 200 and "<h1>Hi</h1>" in framed
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", mail.port)
    connection.request("GET", f"/messages/{item['id']}/html")
    policy = connection.getresponse().getheader("Content-Security-Policy") or ""
    connection.close()
    assert "default-src 'none'" in policy and "sandbox;" in policy and "script-src" not in policy
    assert "eve@example.com" in mail.get("/")[1]


def test_mail_survives_kill_minus_nine_and_is_forgotten_on_demand(mail: Vendor, smtp_port: int) -> None:
    send(smtp_port, "kim@example.com", "keep me")
    mail.kill()
    mail.start()
    assert mail.get("/api/messages?to=kim@example.com")[1]["total"] == 1
    send(smtp_port, "lea@example.com", "me too")
    assert call(mail.port, "DELETE", "/api/messages?to=kim@example.com")[1] == {"deleted": 1}
    assert mail.get("/api/messages?to=kim@example.com")[1]["total"] == 0
    assert mail.get("/api/messages?to=lea@example.com")[1]["total"] == 1
    call(mail.port, "DELETE", "/api/messages")
    assert mail.get("/api/messages")[1]["total"] == 0


def test_a_broken_message_breaks_nothing(mail: Vendor, smtp_port: int) -> None:
    raw = b"Subject: =?utf-8?q?=ff?=\r\nContent-Type: text/html; charset=nonsense\r\n\r\n<p>\xff\xfe</p>"
    with smtplib.SMTP("127.0.0.1", smtp_port, timeout=5) as client:
        client.sendmail("a@b.example", ["odd@example.com"], raw)
    item = mail.get("/api/messages?to=odd@example.com")[1]["items"][0]
    assert mail.get(f"/messages/{item['id']}")[0] == 200
