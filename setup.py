"""Build the optional C extensions; without a compiler the product runs on its slower paths."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "gateway.keyed_hash._blake2b",
            ["gateway/keyed_hash/_blake2b.c"],
            extra_compile_args=["-O3"],
            optional=True,
        ),
    ]
)
