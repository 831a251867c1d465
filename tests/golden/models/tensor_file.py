"""Writes and reads safetensors files: 8 bytes of header length, a JSON header padded with spaces, then the tensors' bytes."""
import json
import pathlib
import struct

import numpy

DTYPE_NAMES = {"float32": "F32", "int32": "I32", "int64": "I64"}


def write_safetensors(path, tensors):
    """Writes {name: array}; float64 is stored as float32. Wide types come first, so that every tensor is aligned."""
    arrays = {name: numpy.asarray(value) for name, value in tensors.items()}
    for name, array in arrays.items():
        if array.dtype == numpy.float64:
            arrays[name] = array.astype(numpy.float32)
    header, chunks, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, array in sorted(arrays.items(), key=lambda item: (-item[1].itemsize, item[0])):
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        header[name] = {
            "dtype": DTYPE_NAMES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(data)],
        }
        chunks.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def read_safetensors(path):
    """{name: array} of a file of float32, int32 and int64 tensors."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    numpy_names = {name: key for key, name in DTYPE_NAMES.items()}
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        array = numpy.frombuffer(data[begin:end], dtype=numpy_names[entry["dtype"]])
        tensors[name] = array.reshape(entry["shape"])
    return tensors


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(value, indent=2, sort_keys=True) + "\n")
