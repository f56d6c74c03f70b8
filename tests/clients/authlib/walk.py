"""A relying party made of Authlib, unmodified: the walk that README.md of this folder describes.

python3 walk.py .portico/ready.json
"""

import json
import os
import sys
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

# Authlib refuses plain HTTP, which only a laptop's platform speaks.
os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")

import requests
from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidClaimError
from joserfc.jwk import KeySet

SCOPE = "openid email profile offline_access posts:read"
TIMEOUT_S = 15


def main(ready_file):
    with open(ready_file, encoding="utf-8") as file:
        ready = json.load(file)
    person = next(user for user in ready["users"] if user["kind"] == "verified")
    registered = next(one for one in ready["clients"] if one["client_id"] == "demo")
    browser = Browser(ready["gateway"])
    issuer = f"{ready['gateway']}/auth"

    server = discover(issuer)
    step("discover", server["issuer"])

    client = OAuth2Session(
        registered["client_id"],
        scope=SCOPE,
        redirect_uri=registered["redirect_uris"][0],
        code_challenge_method="S256",
        token_endpoint=server["token_endpoint"],
        default_timeout=TIMEOUT_S,
    )
    nonce = generate_token(30)
    token = sign_in(client, server, browser, person, nonce)
    step("sign-in", f"code + PKCE, granted {token['scope']}")

    keys = KeySet.import_key_set(fetch_json(server["jwks_uri"]))
    claims = check_id_token(client, server, keys, token, issuer, nonce)
    require_equal(claims["sub"], person["id"], "subject of the ID token")
    step("id-token", f"sub {claims['sub']}")

    # Authlib does not compare issuers at discovery; it compares them in the ID token.
    require_refusal(
        lambda: check_id_token(client, server, keys, token, f"{issuer}/", nonce), "iss"
    )
    step("trailing-slash", f"{issuer}/ is refused")

    require_equal(userinfo(client, server)["email"], person["email"], "address")
    step("userinfo", person["email"])

    renewed = client.refresh_token()
    if renewed["refresh_token"] == token["refresh_token"]:
        raise Failed("the refresh token was not rotated")
    check_id_token(client, server, keys, renewed, issuer)
    require_equal(userinfo(client, server)["sub"], person["id"], "subject after the refresh")
    step("refresh", "rotated; the new tokens serve")

    # Somebody is signed in; a native application gets no code without them (RFC 8252 section 8.6).
    require_equal(ask_silently(client, server, browser), "interaction_required", "silent answer")
    sign_out(server, browser, renewed["id_token"], registered["post_logout_redirect_uris"][0])
    require_equal(ask_silently(client, server, browser), "login_required", "silent answer")
    step("logout", "back at the client; signed in no more")


def discover(issuer):
    server = fetch_json(f"{issuer}/.well-known/openid-configuration")
    require_equal(server["issuer"], issuer, "issuer")
    return server


def sign_in(client, server, browser, person, nonce):
    verifier = generate_token(48)
    url, state = client.create_authorization_url(
        server["authorization_endpoint"], code_verifier=verifier, nonce=nonce, prompt="consent"
    )
    page = browser.open(url)
    callback = browser.submit(page, email=person["email"], password=person["password"])
    if not callback.url.startswith(client.redirect_uri):
        raise Failed(f"the sign-in ended at {callback.url}")
    return client.fetch_token(
        authorization_response=callback.url, state=state, code_verifier=verifier
    )


def check_id_token(client, server, keys, token, issuer, nonce=None):
    """Its signature, issuer, audience, nonce and times."""
    decoded = jwt.decode(
        token["id_token"], keys, algorithms=server["id_token_signing_alg_values_supported"]
    )
    expected = {"iss": {"values": [issuer]}, "aud": {"values": [client.client_id]}}
    params = {"client_id": client.client_id, "nonce": nonce}
    claims = CodeIDToken(decoded.claims, decoded.header, expected, params)
    claims.validate(leeway=5)
    return claims


def userinfo(client, server):
    reply = client.get(server["userinfo_endpoint"])
    reply.raise_for_status()
    return reply.json()


def sign_out(server, browser, id_token, return_to):
    """RP-initiated logout, the button pressed, and the way back with the state that was sent."""
    state = generate_token(30)
    query = {"id_token_hint": id_token, "post_logout_redirect_uri": return_to, "state": state}
    page = browser.open(add_params_to_uri(server["end_session_endpoint"], query))
    back = browser.submit(page, logout="yes")
    require_equal(back.url.split("?")[0], return_to, "place after logout")
    require_equal(query_of(back.url).get("state"), state, "state after logout")


def ask_silently(client, server, browser):
    """The error with which the provider answers when it may show the person no page."""
    url, _ = client.create_authorization_url(
        server["authorization_endpoint"], code_verifier=generate_token(48), prompt="none"
    )
    return query_of(browser.open(url).url).get("error")


class Visit:
    def __init__(self, url, body=""):
        self.url = url
        self.body = body


class Browser:
    """As much of one as a person needs: cookies, redirects, and the first form of a page."""

    def __init__(self, origin):
        self.origin = origin
        self.session = requests.Session()

    def open(self, url):
        return self._send("GET", url)

    def submit(self, visit, **typed):
        form = FirstForm(visit.body)
        return self._send("POST", urljoin(visit.url, form.action), {**form.hidden, **typed})

    def _send(self, method, url, form=None):
        """Follows redirects until they leave the platform: nobody listens where the client is."""
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin" if form else "none"}
        while url.startswith(f"{self.origin}/"):
            reply = self.session.request(
                method, url, data=form, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
            )
            if not reply.is_redirect:
                return Visit(url, reply.text)
            method, url, form = "GET", urljoin(url, reply.headers["location"]), None
        return Visit(url)


class FirstForm(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.action = None
        self.hidden = {}
        self.is_inside = False
        self.feed(page)
        if self.action is None:
            raise Failed(f"there is no form on this page:\n{page}")

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = given["action"]
            self.is_inside = True
        if tag == "input" and self.is_inside and given.get("type") == "hidden":
            self.hidden[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.is_inside = False


class Failed(Exception):
    pass


def fetch_json(url):
    reply = requests.get(url, timeout=TIMEOUT_S)
    reply.raise_for_status()
    return reply.json()


def query_of(url):
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def require_equal(seen, expected, what):
    if seen != expected:
        raise Failed(f"{what}: {seen!r}, not {expected!r}")


def require_refusal(attempt, claim):
    try:
        attempt()
    except InvalidClaimError as refusal:
        require_equal(refusal.claim, claim, "claim that was refused")
        return
    raise Failed(f"a wrong {claim} was taken")


def step(name, seen):
    print(f"{name:<16}{seen}", flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Failed as failure:
        sys.exit(f"failed: {failure}")
