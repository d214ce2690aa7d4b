"""Talks to HubServer as its users' tools do: python hub_server_check.py ENDPOINT. Needs huggingface_hub (checked with 0.36.2)."""

import os
import sys
import tempfile
from pathlib import Path

os.environ["HF_ENDPOINT"] = sys.argv[1]
os.environ["HF_HUB_DISABLE_XET"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HOME"] = tempfile.mkdtemp()

from huggingface_hub import HfApi, ModelCard, snapshot_download  # noqa: E402
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError  # noqa: E402

api = HfApi(token="hf_good")
repo = "python/made"
folder = Path(tempfile.mkdtemp())
content = {
    "README.md": b"---\nlicense: mit\n---\n# made\n",
    "unet/config.json": b'{"a": 1}',
    "unet/weights.safetensors": bytes(range(256)) * 10,  # in parts, where the server's are smaller
    "images/1.png": b"\x89PNG\0" + b"x" * 100,
    "empty.txt": b"",
}
for name, data in content.items():
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)

api.create_repo(repo)
try:
    api.create_repo(repo)
    raise AssertionError("created twice")
except HfHubHTTPError as e:
    assert e.response.status_code == 409, e
first = api.upload_folder(repo_id=repo, folder_path=folder, commit_message="first")
again = api.upload_folder(repo_id=repo, folder_path=folder, commit_message="again")
assert again.oid == first.oid, "nothing had changed"

api.create_branch(repo, branch="other")
(folder / "unet/config.json").write_bytes(b'{"a": 2}')
other = api.upload_folder(repo_id=repo, folder_path=folder, revision="other")
assert other.oid != first.oid


def read(revision, token="hf_good", repo=repo):
    at = Path(snapshot_download(repo, revision=revision, token=token, cache_dir=tempfile.mkdtemp()))
    files = [f for f in at.rglob("*") if f.is_file() and f.name != ".gitattributes"]
    return {str(f.relative_to(at)): f.read_bytes() for f in files}


assert read("main") == content, read("main").keys()
assert read("other") == {**content, "unet/config.json": b'{"a": 2}'}
assert ModelCard.load(repo, token="hf_good").data.license == "mit"

api.create_repo("python/private", private=True)
assert api.model_info("python/private").private
for token, call, error in [
    ("hf_read", lambda a: a.upload_folder(repo_id=repo, folder_path=folder, revision="main"), HfHubHTTPError),
    ("hf_write", lambda a: a.create_repo("python/new"), HfHubHTTPError),
    (False, lambda a: a.model_info("python/private"), RepositoryNotFoundError),
]:
    try:
        call(HfApi(token=token))
        raise AssertionError(f"{token} may")
    except error as e:
        assert e.response.status_code in (401, 403), e
print("as expected")
