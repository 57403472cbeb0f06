"""The process of one attempt: take the inputs, carry out the task, leave a report.

Standard library only, Python >= 3.9. Runs in a fork of the zygote, which loads it under a private name.
The report is JSON and a newline on a descriptor:

    {"outputs": [{"name", "type", "value" | "path", "media_type", "meta"}], "metrics": {}, "seeds": {}}
    {"error": {"reason", "type", "message", "traceback", "line"}, "metrics": {}, "seeds": {}}
"""

from __future__ import annotations

import atexit
import errno
import importlib
import importlib.util
import json
import os
import resource
import sys
import types
from importlib.machinery import ModuleSpec, SourceFileLoader

TYPE_CHECKING = (
    False  # importing `typing`, `pathlib` or `traceback` would cost every fork of the zygote their pages
)
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    Request = dict[str, Any]
    Report = dict[str, Any]

serializers: Any = sys.modules["_orchestrator_serializers"]
helpers: Any = sys.modules["orchestrator_task"]

MESSAGE_LIMIT = 4 * 1024
TRACEBACK_LIMIT = 64 * 1024
NAME_LIMIT = 200
OURS = (__file__, serializers.__file__)
SOURCE_MODULE = "task_source"

COMPILED: dict[str, tuple[tuple[int, int, int], types.CodeType]] = {}
COMPILED_LIMIT = 1000  # files; a zygote outlives many snapshots

REHEARSAL = "rehearsal"
PORT: Report = {"name": "result", "type": "any"}


class Refused(Exception):
    """The attempt fails for a reason we know how to say."""

    def __init__(self, reason: str, message: str, kind: str = "", code: int = 1) -> None:
        super().__init__(message)
        self.reason = reason
        self.kind = kind or type(self).__name__
        self.code = code


def prepare() -> None:
    """Once, in the zygote: what every runner would otherwise do for itself."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    # A task that spawns interpreters (multiprocessing) shall not find the zygote where its own main module
    # should be.
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.argv = [""]
    rehearse()


def main(request: Request, result_fd: int) -> None:
    """Carry out one request in this process and end it. Never returns."""
    code = 1
    place = identity(result_fd)
    try:
        code, report = perform(request)
        body = written(report)
        if place is None or identity(result_fd) != place:
            code = 1
            say(f"The task closed descriptor {result_fd}, on which its result is told: the result is lost.")
        else:
            write_report(result_fd, body)
        run_exit_functions()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        flush()
        os._exit(code)


def identity(fd: int) -> tuple[int, int] | None:
    """Which file a descriptor leads to; None when it is closed."""
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def rehearse() -> None:
    """Go once through what every attempt does: its memory is ours, then, before the request comes.

    Not through the compiler, whose pages an attempt with a file of code never needs.
    """
    request: Request = {
        "work": "/",
        "attempt": "",
        "task": "",
        "kind": "python",
        "entry": f"{REHEARSAL}:perform",
        "code_path": os.path.dirname(__file__),
        "outputs": [PORT],
    }
    written(perform({**request, "inputs": {"x": {"type": "integer", "value": 1}}})[1])
    sys.path.remove(request["code_path"])
    del sys.modules[REHEARSAL]


def perform(request: Request) -> tuple[int, Report]:
    """The exit code and the report of one attempt; every way to fail ends here."""
    try:
        enter(request)
        return 0, {"outputs": KINDS[request["kind"]](request)}
    except Refused as refusal:
        say(str(refusal))
        return refusal.code, failure(refusal.reason, refusal.kind, str(refusal))
    except serializers.Mismatch as problem:
        say(str(problem))
        return 1, failure("validation", "TypeError", str(problem))
    except SystemExit as leaving:
        return settle_exit(leaving, request)
    except BaseException as problem:
        return 1, explained(problem, request)


def enter(request: Request) -> None:
    """Become the attempt: its folder, its environment variables, its code first on the path."""
    os.chdir(request["work"])
    os.environ["ORCHESTRATOR_ATTEMPT"] = request["attempt"]
    os.environ["ORCHESTRATOR_TASK"] = request["task"]
    os.environ.update(request.get("env") or {})
    if request.get("temporary"):
        # At hand outside too, so that what it holds counts as the attempt's and goes with it.
        os.makedirs(request["temporary"], mode=0o700, exist_ok=True)
        os.environ["TMPDIR"] = request["temporary"]
    if request.get("open_files"):
        limit_open_files(request["open_files"])
    if request.get("code_path"):
        sys.path.insert(0, request["code_path"])
    reseed("numpy.random", "seed")
    reseed("torch", "seed")


def limit_open_files(most: int) -> None:
    """As many open files as a process may have; never more than the system allows."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def reseed(module: str, function: str) -> None:
    """A generator that was imported before the fork would give every attempt the same numbers by accident."""
    loaded = sys.modules.get(module)
    if loaded is not None:
        getattr(loaded, function)()


# --- python ---------------------------------------------------------------------------------------


def run_python(request: Request) -> list[Report]:
    function = inline_function(request) if request.get("source") is not None else entry_function(request)
    value = call(function, arguments(function, with_names(request.get("inputs") or {})))
    if hasattr(value, "__await__"):
        value = importlib.import_module("asyncio").run(value)
    return collect(value, request.get("outputs") or [], os.path.join(request["work"], "outputs"))


def entry_function(request: Request) -> Callable[..., Any]:
    """The function that `module:function` names in the code location."""
    module_name, _, name = request["entry"].partition(":")
    function = getattr(load_module(module_name, request.get("code_path")), name, None)
    if not callable(function):
        raise Refused("validation", f"module {module_name} has no function {name}", "AttributeError")
    return function


def load_module(name: str, code_path: str | None) -> types.ModuleType:
    """Import the entry module; the code location goes before anything the zygote or a package has loaded."""
    file = os.path.join(code_path or "", name + ".py")
    if code_path and os.path.isfile(file):
        return execute_file(name, file)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as problem:
        if problem.name and (name == problem.name or name.startswith(problem.name + ".")):
            where = "the code location" if code_path else "the environment"
            raise Refused(
                "validation", f"there is no module {name} in {where}", "ModuleNotFoundError"
            ) from None
        raise


def execute_file(name: str, file: str) -> types.ModuleType:
    """What importing a plain file does, with the code that the zygote may have compiled already."""
    module = types.ModuleType(name)
    module.__file__ = file
    module.__spec__ = ModuleSpec(name, SourceFileLoader(name, file), origin=file)
    module.__loader__ = module.__spec__.loader
    sys.modules[name] = module
    exec(compiled(file), module.__dict__)  # noqa: S102
    return module


def compiled(file: str) -> types.CodeType:
    """The code of a file, compiled once as long as it does not change."""
    seen = os.stat(file)
    mark = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
    if file not in COMPILED or COMPILED[file][0] != mark:
        with open(file, "rb") as source:
            COMPILED[file] = (mark, compile(source.read(), file, "exec"))
    return COMPILED[file][1]


def remember(request: Request) -> None:
    """In the zygote, between two attempts: compile the entry file, so that later runners find it done."""
    if not request.get("code_path") or not request.get("entry"):
        return
    if len(COMPILED) > COMPILED_LIMIT:
        COMPILED.clear()
    try:
        compiled(os.path.join(request["code_path"], request["entry"].partition(":")[0] + ".py"))
    except (OSError, SyntaxError, ValueError):
        return  # the runner has met the same fault and has told it better


def inline_function(request: Request) -> Callable[..., Any]:
    """The function of a task with inline code: the last public one that it defines."""
    source, file = request["source"], f"<{request['task']}>"
    module = types.ModuleType(SOURCE_MODULE)
    module.__file__ = file
    sys.modules[SOURCE_MODULE] = module
    exec(compile(source, file, "exec"), module.__dict__)  # noqa: S102
    functions = [value for name, value in vars(module).items() if is_own_function(name, value)]
    if not functions:
        raise Refused("validation", f"the source of {request['task']} defines no function", "AttributeError")
    return max(functions, key=line_of)


def is_own_function(name: str, value: Any) -> bool:
    """A public function of the inline code, decorated or not; no class, nothing imported."""
    own = getattr(value, "__module__", None) == SOURCE_MODULE
    return own and callable(value) and not isinstance(value, type) and not name.startswith("_")


def line_of(function: Any) -> int:
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    return code.co_firstlineno if code else 0


def arguments(function: Callable[..., Any], inputs: dict[str, Any]) -> dict[str, Any]:
    """Every input as the function wants it."""
    given = {}
    for name, port in inputs.items():
        try:
            given[name] = (
                serializers.load(port, hint(function, name)) if "path" in port else port.get("value")
            )
        except OSError as problem:
            raise Refused(
                "infrastructure", f"input {name} cannot be read: {problem}", type(problem).__name__
            ) from None
        except serializers.Mismatch as problem:
            raise Refused("validation", f"input {name}: {problem}", "TypeError") from None
    return given


def with_names(inputs: dict[str, Any]) -> dict[str, Any]:
    """Files under the names they had when they were made: in the store they are called by their digests."""
    named = {}
    for name, port in inputs.items():
        file = os.path.basename((port.get("meta") or {}).get("filename") or "")
        if "path" in port and file not in ("", ".", ".."):
            folder = os.path.join("inputs", name)
            os.makedirs(folder, exist_ok=True)
            link = os.path.join(os.getcwd(), folder, file)
            os.symlink(port["path"], link)
            port = {**port, "path": link}
        named[name] = port
    return named


def hint(function: Callable[..., Any], name: str) -> str:
    """The annotation of an argument as text with its module, e.g. `pyarrow.lib.Table`; '' without one."""
    found = getattr(function, "__annotations__", {}).get(name, "")
    if isinstance(found, str) and found:
        try:
            found = eval(found, getattr(function, "__globals__", {}))  # noqa: S307 - code of the task
        except Exception:
            return found  # a name that exists for type checkers only; its text is all we have
    if isinstance(found, type):
        return f"{found.__module__}.{found.__qualname__}"
    return str(found)


def call(function: Callable[..., Any], given: dict[str, Any]) -> Any:
    try:
        return function(**given)
    except TypeError as problem:
        # No frame below ours: the call itself failed, nothing of the function has run.
        if problem.__traceback__ is not None and problem.__traceback__.tb_next is None:
            raise Refused(
                "validation", f"the inputs do not fit the function: {problem}", "TypeError"
            ) from None
        raise


def collect(value: Any, declared: list[Report], folder: str) -> list[Report]:
    """What the function returned, as the declared outputs."""
    if not declared:
        return []
    if len(declared) == 1 and declared[0]["name"] == "result":
        values = {"result": value}
    else:
        values = {port["name"]: part(value, port["name"]) for port in declared}
    return [keep(port, values[port["name"]], folder) for port in declared]


def part(value: Any, name: str) -> Any:
    """One named output of a NamedTuple, dataclass or dict."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
    elif hasattr(value, name):
        return getattr(value, name)
    got = serializers.class_name(value)
    raise Refused(
        "validation", f"output {name} is declared, but the {got} that was returned has none", "TypeError"
    )


def keep(port: Report, value: Any, folder: str) -> Report:
    try:
        return {
            "name": port["name"],
            **serializers.save(port["type"], value, os.path.join(folder, port["name"])),
        }
    except serializers.Mismatch as problem:
        raise Refused("validation", f"output {port['name']}: {problem}", "TypeError") from None


# --- shell ----------------------------------------------------------------------------------------


def run_shell(request: Request) -> list[Report]:
    """/bin/sh -e over the text; inputs as IN_<NAME>, outputs as files in $OUT."""
    out = os.path.join(request["work"], "outputs")
    os.makedirs(out, exist_ok=True)
    script = os.path.join(request["work"], "script.sh")
    with open(script, "w", encoding="utf-8") as file:
        file.write(request["shell"])
    environment = {**os.environ, "OUT": out, **shell_inputs(with_names(request.get("inputs") or {}))}
    pid = os.posix_spawn("/bin/sh", ["/bin/sh", "-e", script], environment)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        raise Refused("exit", f"the script was ended by signal {number}", "Signal", 128 + number)
    if os.WEXITSTATUS(status):
        code = os.WEXITSTATUS(status)
        raise Refused("exit", f"the script ended with exit code {code}", "Exit", code)
    return [script_output(port, out) for port in request.get("outputs") or []]


def script_output(port: Report, out: str) -> Report:
    try:
        return {"name": port["name"], **serializers.read_written(port["type"], port["name"], out)}
    except serializers.Mismatch as problem:
        raise Refused("validation", f"output {port['name']}: {problem}", "TypeError") from None


def shell_inputs(inputs: dict[str, Any]) -> dict[str, str]:
    """IN_<NAME>: a string as it is, other values as JSON, files by their path."""
    environment = {}
    for name, port in inputs.items():
        value = port["path"] if "path" in port else port.get("value")
        key = "IN_" + "".join(letter if letter.isalnum() else "_" for letter in name).upper()
        environment[key] = value if isinstance(value, str) else json.dumps(value)
    return environment


KINDS: dict[str, Callable[[Request], list[Report]]] = {"python": run_python, "shell": run_shell}


# --- ends -----------------------------------------------------------------------------------------


def failure(reason: str, kind: str, message: str, text: str = "", line: int | None = None) -> Report:
    error: Report = {"reason": reason, "type": kind[:NAME_LIMIT], "message": message[:MESSAGE_LIMIT]}
    # What is told here stands in the log already.
    return {"error": {**error, "traceback": text, "line": line, "said": True}}


def settle_exit(leaving: SystemExit, request: Request) -> tuple[int, Report]:
    """sys.exit() in a task: 0 is a success if nothing was to be returned, all else is the reason `exit`."""
    code = leaving.code
    if code is None or (isinstance(code, int) and code == 0):
        if not request.get("outputs"):
            return 0, {"outputs": []}
        return 1, failure(
            "validation", "SystemExit", "the task left with exit code 0 before it returned its outputs"
        )
    if isinstance(code, int):
        return code & 0xFF, failure("exit", "SystemExit", f"the task ended with exit code {code & 0xFF}")
    words = words_of(code)
    say(words)
    return 1, failure("exit", "SystemExit", words)


def explained(problem: BaseException, request: Request) -> Report:
    """explain(), also of an exception whose own methods fail when it is looked at."""
    try:
        return explain(problem, request)
    except BaseException as second:
        name = type(second).__name__
        message = f"{type(problem).__name__}: {words_of(problem)} (telling more about it raised {name})"
        say(message)
        return failure("error", type(problem).__name__, message)


def words_of(thing: object) -> str:
    """What an object of the task says it is; its methods may be anything."""
    try:
        return str(thing)
    except BaseException as problem:
        return f"its text cannot be shown: str() raised {type(problem).__name__}"


def explain(problem: BaseException, request: Request) -> Report:
    """An exception of the user's code, told with the user's own lines only; the log gets the same text."""
    import linecache
    import traceback

    if request.get("source") is not None:
        # The lines of inline code exist nowhere else; without this entry the traceback would show none.
        file, text = f"<{request['task']}>", request["source"]
        linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    kind = type(problem).__name__
    message = message_of(problem)
    if isinstance(problem, helpers.Invalid):
        say(message)
        return failure("validation", kind, message)
    told = traceback.TracebackException(type(problem), problem, problem.__traceback__)
    keep_user_lines(told)
    text = "".join(told.format())
    say(text.rstrip("\n"))
    line = problem.lineno if isinstance(problem, SyntaxError) else user_line(problem.__traceback__, request)
    return failure(reason_of(problem, request), kind, message, text[-TRACEBACK_LIMIT:], line)


def message_of(problem: BaseException) -> str:
    """The words of an exception, with ours where its own do not say what the limit is."""
    message = words_of(problem) or type(problem).__name__
    if isinstance(problem, OSError) and problem.errno == errno.EMFILE:
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return f"{message}: a process of a task may have {most:,} files open at a time"
    return message


def reason_of(problem: BaseException, request: Request) -> str:
    named = set(request.get("transient") or ())
    for kind in type(problem).__mro__:
        if (
            kind is helpers.Transient
            or kind.__name__ in named
            or f"{kind.__module__}.{kind.__qualname__}" in named
        ):
            return "transient"
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return "infrastructure"
    return "error"


def keep_user_lines(told: Any) -> None:
    """Drop our own frames and those of the import machinery, in the causes too."""
    while told is not None:
        told.stack[:] = [frame for frame in told.stack if not is_ours(frame.filename)]
        told = told.__cause__ or told.__context__


def is_ours(file: str) -> bool:
    return file in OURS or file.startswith("<frozen importlib")


def user_line(trace: TracebackType | None, request: Request) -> int | None:
    """The line, in the task's own code, from which the exception came."""
    line = None
    roots = (request.get("code_path") or "\0", f"<{request['task']}>")
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(roots):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def written(report: Report) -> bytes:
    """A report as JSON and a newline; what JSON has no word for is left out, unless it is the result."""
    try:
        return json.dumps({**report, **helpers.said()}, allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as problem:
        say(f"Metrics and seeds were left out of the record: {problem}")
        return json.dumps(report, allow_nan=False).encode() + b"\n"


def write_report(fd: int, body: bytes) -> None:
    """What stood on the descriptor before was not written by us."""
    os.ftruncate(fd, 0)
    os.lseek(fd, 0, os.SEEK_SET)
    while body:
        body = body[os.write(fd, body) :]


def run_exit_functions() -> None:
    """What libraries registered with atexit; os._exit would skip it."""
    atexit._run_exitfuncs()


def say(text: str) -> None:
    """A line for the log; the task may have closed it."""
    try:
        print(text, file=sys.stderr)
    except (OSError, ValueError, AttributeError):
        return


def flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: S112 - it stands for the log itself
            continue  # nobody reads any more, or the task closed it, or put something else in its place
