"""The cable between a page and the servers, which may be pulled out and put in again."""

import re

from playwright.sync_api import Page, WebSocketRoute


class Cable:
    """That of the sockets at addresses in which `path` stands. To be made before the page opens."""

    def __init__(self, page: Page, path: str) -> None:
        self.is_cut = False
        self._sockets: list[WebSocketRoute] = []
        page.route_web_socket(re.compile(path), self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        if self.is_cut:
            socket.close(code=4000, reason="the cable is out")
        else:
            socket.connect_to_server()
            self._sockets.append(socket)

    def cut(self) -> None:
        self.is_cut = True
        for socket in self._sockets:
            socket.close(code=4000, reason="the cable is out")
        self._sockets.clear()

    def mend(self) -> None:
        self.is_cut = False
