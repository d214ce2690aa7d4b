#!/usr/bin/env python3
"""Makes the schemas beside this file, which kubeconform checks the rendered chart by. Needs PyYAML.

    make.py KUBERNETES CRD...

KUBERNETES  folder of strict JSON schemas of Kubernetes 1.30, such as kubernetes-json-schema/v1.30.0-local-strict of the
            Python package kubernetes-validate 1.37
CRD         CustomResourceDefinition files; those here are of KEDA 2.17.2 (config/crd/bases), prometheus-operator 0.83.0
            (example/prometheus-operator-crd) and Strimzi (install/cluster-operator, 04*-Crd-kafka{topic,user}.yaml)

Descriptions are left out, and of Kubernetes all that the kinds of the chart do not lead to.
"""
import json
import pathlib
import sys

import yaml

HERE = pathlib.Path(__file__).parent
KINDS = {
    "io.k8s.api.apps.v1.Deployment": "deployment-apps-v1",
    "io.k8s.api.batch.v1.Job": "job-batch-v1",
    "io.k8s.api.core.v1.ConfigMap": "configmap-v1",
    "io.k8s.api.core.v1.Pod": "pod-v1",
    "io.k8s.api.core.v1.Service": "service-v1",
    "io.k8s.api.core.v1.ServiceAccount": "serviceaccount-v1",
    "io.k8s.api.networking.v1.NetworkPolicy": "networkpolicy-networking-v1",
    "io.k8s.api.policy.v1.PodDisruptionBudget": "poddisruptionbudget-policy-v1",
}


def without_text(node):
    """A schema without descriptions; a property may be named description, and then it has a schema."""
    if isinstance(node, list):
        return [without_text(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: without_text(value)
        for key, value in node.items()
        if not (key == "description" and isinstance(value, str)) and not key.startswith("x-kubernetes-group-version")
    }


def closed(node):
    """An object that names its fields has no others, as the API server sees it with field validation."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: closed(value) for key, value in node.items()}
    if node.get("x-kubernetes-int-or-string"):
        node = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    if isinstance(node.get("properties"), dict) and not node.get("x-kubernetes-preserve-unknown-fields"):
        node.setdefault("additionalProperties", False)
    return node


def references(node):
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rsplit("/", 1)[1]
        for value in node.values():
            yield from references(value)


def write(name, schema):
    (HERE / f"{name}.json").write_text(json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n")


def kubernetes(folder):
    every = json.loads((pathlib.Path(folder) / "_definitions.json").read_text())["$defs"]
    kept, todo = {}, list(KINDS)
    while todo:
        name = todo.pop()
        if name not in kept:
            kept[name] = without_text(every[name])
            todo += references(kept[name])
    text = json.dumps({"definitions": kept}).replace('"#/$defs/', '"#/definitions/')
    write("definitions", json.loads(text))
    for definition, name in KINDS.items():
        write(name, {"$ref": f"definitions.json#/definitions/{definition}"})


def custom(path):
    crd = yaml.safe_load(pathlib.Path(path).read_text())["spec"]
    for version in crd["versions"]:
        if version["served"]:
            schema = closed(without_text(version["schema"]["openAPIV3Schema"]))
            schema["properties"]["metadata"] = {"type": "object"}
            schema["properties"].pop("status", None)
            group = crd["group"].split(".")[0]
            write(f"{crd['names']['kind'].lower()}-{group}-{version['name']}", schema)


kubernetes(sys.argv[1])
for crd in sys.argv[2:]:
    custom(crd)
