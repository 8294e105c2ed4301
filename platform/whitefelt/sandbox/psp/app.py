"""Sandpay's web application: the merchants' API, the hosted page and the control."""

from flask import Flask, Response

from .._input import install_errors
from .api import api
from .control import control
from .page import page
from .sender import Provider


def create_app(provider: Provider) -> Flask:
    """The application around a provider."""
    app = Flask(__name__, static_folder="static", static_url_path="/static")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 300
    app.extensions["provider"] = provider
    install_errors(app)
    for blueprint in (api, control, page):
        app.register_blueprint(blueprint)
    app.after_request(_harden)
    return app


def _harden(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    return response
