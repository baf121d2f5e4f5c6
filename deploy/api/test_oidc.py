"""Signing in through a real OpenID Connect service, as a browser does it: every redirect followed, forms sent."""

import http.cookiejar
import os
import re
import subprocess
import unittest
import urllib.error
import urllib.parse
import urllib.request

from serving import ANSWER_LIMIT, Serving, free_port

HERE = os.path.dirname(os.path.abspath(__file__))
NODE, PROVIDER = os.environ["NODE"], os.environ["OIDC_PROVIDER"]


class Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are followed one by one, by who looks at them."""

    def redirect_request(self, *_):
        return None


class Browser:
    """Keeps cookies, follows nothing by itself."""

    def __init__(self):
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(Stay, urllib.request.HTTPCookieProcessor(self.cookies))

    def ask(self, url, form=None, kind="application/x-www-form-urlencoded"):
        """Status, headers and text of one answer."""
        data = form if isinstance(form, bytes) or form is None else urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(url, data=data)
        if data is not None:
            request.add_header("Content-Type", kind)
        try:
            answer = self.opener.open(request, timeout=ANSWER_LIMIT)
        except urllib.error.HTTPError as other:
            answer = other
        return answer.status, answer.headers, answer.read().decode()

    def sign_in(self, begin, person, until):
        """Follows a sign-in up to the address that begins with `until`, which is not asked."""
        url, form = begin, None
        for _ in range(20):
            status, headers, text = self.ask(url, form)
            form = None
            if status in (302, 303):
                url = urllib.parse.urljoin(url, headers["Location"])
                if url.startswith(until):
                    return url
                continue
            assert status == 200, (status, text)
            url = urllib.parse.urljoin(url, re.search(r'<form[^>]* action="([^"]+)"', text)[1])
            prompt = re.search(r'name="prompt" value="(\w+)"', text)[1]
            form = {"prompt": prompt, "login": person, "password": person}
        raise AssertionError("the sign-in does not end")


class Oidc(unittest.TestCase):
    """X14: people of another service."""

    @classmethod
    def setUpClass(cls):
        port, there = free_port(), free_port()
        here = f"http://127.0.0.1:{port}"
        cls.callback = here + "/api/v1/auth/oidc/callback"
        command = [NODE, HERE + "/provider.mjs", PROVIDER, str(there), cls.callback]
        cls.provider = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        cls.addClassCleanup(cls.provider.wait)
        cls.addClassCleanup(cls.provider.kill)
        while cls.provider.stdout.readline().strip() != "ready":
            assert cls.provider.poll() is None, "the provider does not start"
        issuer = f"http://127.0.0.1:{there}"
        arguments = ["--oidc-issuer", issuer, "--oidc-client-id", "flowetl", "--public-url", here]
        serving = Serving(*arguments, port=port, FLOWETL_OIDC_CLIENT_SECRET="provider-secret")
        cls.serving = cls.enterClassContext(serving)
        cls.begin = here + "/api/v1/auth/oidc/login"

    def redeem(self, browser, ticket):
        body = ('{"ticket": "%s"}' % ticket).encode()
        status, _, text = browser.ask(self.serving.url + "/api/v1/auth/oidc/token", body, "application/json")
        return status, text

    def test_x14_a_person_signs_in_and_everything_counts_once(self):
        browser = Browser()
        back = browser.sign_in(self.begin + "?next=/pipelines%3Fa=b", "ann", self.callback)
        own = [cookie for cookie in browser.cookies if cookie.name == "flowetl_oidc"]
        self.assertTrue(own and own[0].has_nonstandard_attr("HttpOnly"))
        self.assertEqual(Browser().ask(back)[0], 401, "another browser's")
        self.assertEqual(browser.ask(back)[0], 401, "it was shown before")

        back = browser.sign_in(self.begin + "?next=/pipelines%3Fa=b", "ann", self.callback)
        status, headers, _ = browser.ask(back)
        self.assertEqual(status, 303)
        page, ticket = headers["Location"].split("&ticket=")
        self.assertEqual(page, "/pipelines?a=b")
        self.assertEqual(self.redeem(Browser(), ticket)[0], 401, "another browser's")

        back = browser.sign_in(self.begin, "ann", self.callback)
        ticket = browser.ask(back)[1]["Location"].removeprefix("/login?ticket=")
        status, text = self.redeem(browser, ticket)
        self.assertEqual(status, 200, text)
        token = re.search(r'"access_token":\s*"([^"]+)"', text)[1]
        status, me = self.serving.call("GET", "/auth/me", token)
        self.assertEqual((status, me["email"], me["name"]), (200, "ann@example.com", "Ann"))
        self.assertEqual(self.redeem(browser, ticket)[0], 401, "it was used")

    def test_x14_who_is_not_verified_there_is_not_let_in(self):
        browser = Browser()
        back = browser.sign_in(self.begin, "eve", self.callback)
        status, _, text = browser.ask(back)
        self.assertEqual(status, 403, text)
        self.assertIn("not verified", text)

    def test_x14_a_code_of_ones_own_making_is_refused(self):
        browser = Browser()
        back = browser.sign_in(self.begin, "ann", self.callback)
        status, _, text = browser.ask(re.sub(r"code=[^&]+", "code=made-up", back))
        self.assertEqual(status, 401, text)
        self.assertEqual(browser.ask(self.callback + "?state=x&error=access_denied")[0], 401)
        self.assertNotIn("provider-secret", self.serving.said())


if __name__ == "__main__":
    unittest.main()
