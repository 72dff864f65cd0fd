"""Corrections to moto's ECR: layers can be pushed, and an image has the digest of its manifest."""

from __future__ import annotations

import uuid
from collections import defaultdict

from sim.cloud.control_plane.call import AwsError, Call, Operations, Regional, Values
from sim.cloud.control_plane.ecr.models import PART_SIZE, Layers, Upload, blobs, manifest_digest


class Ecr:
    """Keeps the layers of each repository, by the repository's name."""

    def __init__(self) -> None:
        self._layers: Regional[defaultdict[str, Layers]] = Regional(lambda: defaultdict(Layers))
        self.operations: Operations = {
            "BatchCheckLayerAvailability": self.check_layers,
            "CompleteLayerUpload": self.complete_upload,
            "DeleteRepository": self.delete_repository,
            "InitiateLayerUpload": self.initiate_upload,
            "PutImage": self.put_image,
            "UploadLayerPart": self.upload_part,
        }

    def check_layers(self, call: Call) -> Values:
        return {"layers": self._of(call).availability(call.parameters["layerDigests"]), "failures": []}

    def initiate_upload(self, call: Call) -> Values:
        upload_id = str(uuid.uuid4())
        self._of(call).uploads[upload_id] = Upload()
        return {"uploadId": upload_id, "partSize": PART_SIZE}

    def upload_part(self, call: Call) -> Values:
        asked = call.parameters
        first, last = asked["partFirstByte"], asked["partLastByte"]
        received = self._of(call).upload(asked["uploadId"], first, last, asked["layerPartBlob"])
        return self._about(call) | {"uploadId": asked["uploadId"], "lastByteReceived": received}

    def complete_upload(self, call: Call) -> Values:
        asked = call.parameters
        digest = self._of(call).complete(asked["uploadId"], asked["layerDigests"])
        return self._about(call) | {"uploadId": asked["uploadId"], "layerDigest": digest}

    def put_image(self, call: Call) -> Values:
        manifest = call.parameters["imageManifest"]
        digest = manifest_digest(manifest, call.parameters.get("imageDigest"))
        lacking = [each for each in blobs(manifest) if each not in self._of(call).sizes]
        if lacking:
            raise AwsError(
                "LayersNotFoundException", f"The image refers to layers that the repository does not have: {lacking}"
            )
        self._refuse_to_move(call, digest)
        return call.forward("PutImage", call.parameters | {"imageDigest": digest})

    def delete_repository(self, call: Call) -> Values:
        answer = call.forward()
        self._layers.of(call).pop(call.parameters["repositoryName"], None)
        return answer

    def _refuse_to_move(self, call: Call, digest: str) -> None:
        """Raises AwsError, ImageTagAlreadyExistsException, if the tag is immutable and another image has it."""
        name, tag = call.parameters["repositoryName"], call.parameters.get("imageTag")
        if not tag or _repository(call)["imageTagMutability"] != "IMMUTABLE":
            return
        named = call.forward("BatchGetImage", {"repositoryName": name, "imageIds": [{"imageTag": tag}]})["images"]
        if any(each["imageId"]["imageDigest"] != digest for each in named):
            raise AwsError(
                "ImageTagAlreadyExistsException",
                f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten "
                "because the tag is immutable.",
            )

    def _of(self, call: Call) -> Layers:
        """The layers of the repository that the call names. Raises RepositoryNotFoundException."""
        return self._layers.of(call)[_repository(call)["repositoryName"]]

    def _about(self, call: Call) -> Values:
        return {"registryId": call.account, "repositoryName": call.parameters["repositoryName"]}


def _repository(call: Call) -> Values:
    """moto's description of the repository that the call names. Raises RepositoryNotFoundException."""
    named = {"repositoryNames": [call.parameters["repositoryName"]]}
    found: Values = call.forward("DescribeRepositories", named)["repositories"][0]
    return found
