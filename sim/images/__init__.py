"""The container images: what to build on, with an image registry or without one, and the services' images."""
