"""Several replicas of the app behind nginx, on this machine.

    .venv/bin/python assets/deploy/serve.py --replicas 2 --port 8501
    python3 assets/deploy/serve.py --config 8502,8503 --address 0.0.0.0 --port 80 > /etc/nginx/conf.d/effviz.conf

The first command starts the replicas and nginx, restarts a replica that ends, and ends them all with Ctrl-C. It needs
no root. The second one prints the configuration of nginx for replicas that another program starts on these ports.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
START_S = 180.0
END_S = 10.0
LOCAL = ("localhost", "127.0.0.1", "[::1]")
# Folders of nginx that a user's PATH may not contain.
NGINX_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin")
NO_NGINX = "nginx is not installed. Install it (Debian: apt install nginx-light), or start one server with: make run"
MAIN = """
daemon off;
worker_processes 1;  # it needs about 0.4 ms of CPU time for a move of a slider
worker_rlimit_nofile 8192;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include site.conf;
}
"""


# --- The configuration of nginx ---------------------------------------------------------------------------------------


def site(ports: list[int], listen: str, cache: str, *, connections: int, rate: int, burst: int) -> str:
    """Return the configuration for replicas on these ports of 127.0.0.1."""
    values = {
        "REPLICAS": _replicas(ports),
        "LISTEN": listen,
        "CACHE": cache,
        "CONNECTIONS": str(connections),
        "RATE": str(rate),
        "BURST": str(burst),
    }
    head, _, body = (HERE / "nginx.conf").read_text(encoding="utf-8").partition("\n\n")
    return head + "\n\n" + re.sub(r"@([A-Z]+)@", lambda found: values[found[1]], body)


def _replicas(ports: list[int]) -> str:
    """Return an upstream per replica, which falls back to the others, and one for new visitors, who take turns."""
    numbers = dict(enumerate(ports, 1))
    lines = []
    for number, port in numbers.items():
        others = "".join(f" server 127.0.0.1:{each} backup;" for each in ports if each != port)
        # A replica that does not answer is left out for 2 s.
        lines.append(f"upstream effviz_{number} {{ {_server(port)}{others} }}")
    lines.append(f"upstream effviz_any {{ {' '.join(map(_server, ports))} }}")
    # The code of a classroom begins with the number of its replica, which the address of a page has as `room`.
    rooms = " ".join(f'"~*^{number}[a-z]" {number};' for number in numbers)
    lines.append(f"map $arg_room $effviz_chosen {{ {rooms} default $cookie_effviz_replica; }}")
    chosen = " ".join(f"{number} effviz_{number};" for number in numbers)
    lines.append(f"map $effviz_chosen $effviz_upstream {{ {chosen} default effviz_any; }}")
    answered = " ".join(f'"~:{port}$" {number};' for number, port in numbers.items())
    lines.append(f'map $upstream_addr $effviz_answered {{ {answered} default ""; }}')
    return "\n".join(lines)


def _server(port: int) -> str:
    return f"server 127.0.0.1:{port} max_fails=1 fail_timeout=2s;"


# --- Processes --------------------------------------------------------------------------------------------------------


def _start_replica(number: int, port: int, env: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a server of the app on a port of 127.0.0.1."""
    address = [f"--server.port={port}", "--server.address=127.0.0.1"]
    # Streamlit prints the address of the replica, which is not the address for visitors.
    env = env | {"EFFVIZ_REPLICA": str(number)}
    process = _start([sys.executable, "-m", "streamlit", "run", "app.py", *address], env, quiet=True)
    print(f"Replica {number}: port {port}, process {process.pid}", flush=True)
    return process


def _wait(name: str, process: subprocess.Popen[bytes], address: str, port: int) -> None:
    """Wait until the app answers on a port."""
    deadline = time.monotonic() + START_S
    while not _is_healthy(address, port):
        if process.poll() is not None:
            raise SystemExit(f"{name} ended with code {process.returncode}.")
        if time.monotonic() > deadline:
            raise SystemExit(f"{name} did not answer on port {port} for {START_S:g} s.")
        time.sleep(0.1)


def _is_healthy(address: str, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}:{port}/_stcore/health", timeout=1) as answer:
            return bool(answer.read() == b"ok")
    except OSError:
        return False


def _start(command: list[str], env: dict[str, str], *, quiet: bool = False) -> subprocess.Popen[bytes]:
    # In a separate session: Ctrl-C in the terminal reaches this script only, which ends the others in order.
    output = subprocess.DEVNULL if quiet else None
    return subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, start_new_session=True)


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + END_S
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def find_nginx() -> str:
    """Return the path of nginx."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *NGINX_FOLDERS])
    found = shutil.which("nginx", path=path)
    if found is None:
        raise SystemExit(NO_NGINX)
    return found


def free_ports(first: int, count: int) -> list[int]:
    """Return free ports of 127.0.0.1, the lowest ones from `first` on."""
    free = (port for port in range(first, 65_536) if _is_free("127.0.0.1", port))
    return [port for _, port in zip(range(count), free, strict=False)]


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, or the port of a server that has just ended would count as used.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


def environment(address: str, folder: Path) -> dict[str, str]:
    """Return the environment of the replicas of a site at this address."""
    env = dict(os.environ)
    env["EFFVIZ_LOCK"] = env.get("EFFVIZ_LOCK") or str(folder / "lock")
    if address not in LOCAL:
        # The replicas themselves listen to this machine only, where they would answer to its names only.
        env["EFFVIZ_HOSTS"] = env.get("EFFVIZ_HOSTS") or "*"
    return env


def serve(options: argparse.Namespace, folder: Path) -> None:
    """Run the replicas and nginx until one cannot start, or Ctrl-C."""
    path = find_nginx()
    # The system decides about ports below 1024, and nginx reports its decision.
    if options.port >= 1024 and not _is_free(options.address, options.port):
        raise SystemExit(f"Port {options.port} is in use. Choose another one: make serve PORT={options.port + 100}")
    env = environment(options.address, folder)
    ports = dict(enumerate(free_ports(options.port + 1, options.replicas), 1))
    # As root, nginx works as another user.
    folder.chmod(0o755)
    (folder / "nginx.conf").write_text(MAIN, encoding="utf-8")
    text = site([*ports.values()], f"{options.address}:{options.port}", str(folder / "files"), **_limits(options))
    (folder / "site.conf").write_text(text, encoding="utf-8")
    running: dict[int, subprocess.Popen[bytes]] = {}  # 0 is nginx, the others are replicas
    try:
        running.update((number, _start_replica(number, port, env)) for number, port in ports.items())
        for number, port in ports.items():
            _wait(f"Replica {number}", running[number], "127.0.0.1", port)
        nginx = running[0] = _start([path, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"], env)
        _wait("nginx", nginx, "127.0.0.1" if options.address == "0.0.0.0" else options.address, options.port)
        name = "localhost" if options.address == "0.0.0.0" else options.address
        print(f"effviz: http://{name}:{options.port}", flush=True)
        while nginx.poll() is None:
            time.sleep(0.5)
            for number, port in ports.items():
                if (code := running[number].poll()) is not None:
                    print(f"Replica {number} ended with code {code} and is started again.", flush=True)
                    running[number] = _start_replica(number, port, env)
        raise SystemExit(f"nginx ended with code {nginx.returncode}.")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end([*running.values()])


def _limits(options: argparse.Namespace) -> dict[str, int]:
    return {name: getattr(options, name) for name in ("connections", "rate", "burst")}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", type=int, default=2, help="number of servers; 2 by default")
    parser.add_argument("--port", type=int, default=8501, help="for visitors; 8501 by default")
    parser.add_argument("--address", default="localhost", help="for visitors; localhost by default, 0.0.0.0 for all")
    parser.add_argument("--connections", type=int, default=600, help="open connections of one address")
    parser.add_argument("--rate", type=int, default=200, help="requests per second of one address")
    parser.add_argument("--burst", type=int, default=12_000, help="requests of one address at once")
    parser.add_argument("--config", metavar="PORT,PORT", help="print the configuration for these ports, and exit")
    parser.add_argument("--cache", default="/var/cache/effviz-nginx", help="with --config: folder of nginx")
    options = parser.parse_args()
    if options.config:
        ports = [int(port) for port in options.config.split(",")]
        print(site(ports, f"{options.address}:{options.port}", options.cache, **_limits(options)), end="")
        return
    if options.replicas < 1:
        parser.error(f"--replicas is {options.replicas}; it must be at least 1")
    # A shell starts background jobs with Ctrl-C ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="effviz-") as folder:
        try:
            serve(options, Path(folder))
        except KeyboardInterrupt:
            print("All servers have ended.", flush=True)


if __name__ == "__main__":
    main()
