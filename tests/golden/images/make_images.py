#!/usr/bin/python3
"""Writes small images in many forms, and expected.bin and cases.json with the pixels that PIL makes of them.

expected.bin holds RGB bytes, one picture after the other; cases.json says where each begins and what it is. PNGs that
PIL does not write (16 bits, interlaced, a transparent colour) are written here from the specification, and their pixels
are known. Needs Debian's python3-pil; the tests do not.
"""

import json
import math
import pathlib
import struct
import zlib

from PIL import Image, ImageEnhance, ImageOps

FOLDER = pathlib.Path(__file__).resolve().parent
FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}
WIDTH, HEIGHT = 17, 13

expected = bytearray()
cases = {"decode": [], "resize": [], "fitted": [], "operations": []}


def add(kind, picture, **what):
    """`picture` as a case of its kind."""
    cases[kind].append({**what, "width": picture.width, "height": picture.height, "offset": len(expected)})
    expected.extend(picture.convert("RGB").tobytes())


def noise(count, seed):
    """Bytes of a linear congruential generator, so that every version of Python writes the same."""
    numbers = bytearray()
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) % 2**31
        numbers.append(seed >> 16 & 255)
    return bytes(numbers)


def noisy(mode, size, seed=1):
    return Image.frombytes(mode, size, noise(size[0] * size[1] * len(mode), seed))


def smooth(size):
    """Waves and an edge: something that JPEG keeps well."""
    picture = Image.new("RGB", size)
    for y in range(size[1]):
        for x in range(size[0]):
            wave = math.sin(x / 7) * math.cos(y / 5)
            red = 128 + 100 * wave + (27 if x > y else -27)
            picture.putpixel((x, y), (int(red), int(255 * x / size[0]), int(255 * y / size[1])))
    return picture


def on_white(rgba):
    """As the header of image.h says: alpha is composed in 8 bits."""
    result = Image.new("RGB", rgba.size)
    result.putdata([tuple((p[3] * c + (255 - p[3]) * 255 + 127) // 255 for c in p[:3]) for p in rgba.getdata()])
    return result


# --- PNG from its specification ------------------------------------------------------------------------------------

def chunk(name, contents):
    return struct.pack(">I", len(contents)) + name + contents + struct.pack(">I", zlib.crc32(name + contents))


def png(size, bits, colour, rows, extra=b"", interlaced=0):
    """`rows` without their filter bytes."""
    header = struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, interlaced)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def adam7(picture):
    """The rows of the seven passes."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    for x0, y0, dx, dy in passes:
        for y in range(y0, picture.height, dy):
            row = b"".join(bytes(picture.getpixel((x, y))) for x in range(x0, picture.width, dx))
            if row:
                yield row


def rows_of(data, stride):
    return [data[i : i + stride] for i in range(0, len(data), stride)]


def write(name, data, picture):
    (FOLDER / name).write_bytes(data)
    add("decode", picture, file=name)


def write_own_pngs():
    size = (5, 4)
    deep = noise(5 * 4 * 3 * 2, 5)
    write("rgb16.png", png(size, 16, 2, rows_of(deep, 30)), Image.frombytes("RGB", size, deep[::2]))
    deep = noise(5 * 4 * 2, 6)
    write("grey16.png", png(size, 16, 0, rows_of(deep, 10)), Image.frombytes("L", size, deep[::2]))
    plain = noisy("RGB", (11, 9), 7)
    write("interlaced.png", png((11, 9), 8, 2, adam7(plain), interlaced=1), plain)
    grey = noise(20, 8)
    key = chunk(b"tRNS", struct.pack(">H", grey[3]))
    write("grey_key.png", png(size, 8, 0, rows_of(grey, 5), key),
          Image.frombytes("L", size, bytes(255 if v == grey[3] else v for v in grey)))
    bits = noise(8, 9)
    levels = [v >> shift & 3 for row in rows_of(bits, 2) for v in row for shift in (6, 4, 2, 0)]
    grey = bytes(85 * v for row in rows_of(levels, 8) for v in row[:5])
    write("grey2.png", png(size, 2, 0, rows_of(bits, 2)), Image.frombytes("L", size, grey))
    # A gamma that must change nothing.
    plain = noisy("RGB", size, 10)
    gamma = chunk(b"gAMA", struct.pack(">I", 100000))
    write("gamma.png", png(size, 8, 2, rows_of(plain.tobytes(), 15), gamma), plain)


# --- Images by PIL -------------------------------------------------------------------------------------------------

def save(name, picture, **options):
    """The case's pixels are those that PIL reads back."""
    picture.save(FOLDER / name, **options)
    read = Image.open(FOLDER / name)
    read.load()
    has_alpha = read.mode in ("RGBA", "LA", "PA") or "transparency" in read.info
    upright = ImageOps.exif_transpose(read)
    add("decode", on_white(upright.convert("RGBA")) if has_alpha else upright, file=name)


def orientation(value):
    exif = Image.Exif()
    exif[0x010E] = "before it"
    exif[0x0112] = value
    return exif


def write_pngs():
    rgb = noisy("RGB", (WIDTH, HEIGHT))
    save("rgb.png", rgb)
    save("grey.png", noisy("L", (7, 6), 2))
    save("black_and_white.png", noisy("L", (11, 5), 2).convert("1"))
    save("palette.png", smooth((9, 7)).quantize(5))
    save("palette_alpha.png", smooth((9, 7)).quantize(5), transparency=bytes([0, 100, 255, 30, 200]))
    save("rgba.png", noisy("RGBA", (7, 6), 3))
    save("grey_alpha.png", noisy("RGBA", (7, 6), 4).convert("LA"))
    save("orientation_6.png", noisy("RGB", (4, 3), 12), exif=orientation(6))
    return rgb


def write_jpegs():
    picture = smooth((19, 15))
    save("rgb.jpg", picture, quality=80)
    save("full_chroma.jpg", picture, quality=80, subsampling=0)
    save("progressive.jpg", picture, quality=80, progressive=True)
    save("grey.jpg", picture.convert("L"), quality=80)
    for value in range(1, 9):
        save(f"orientation_{value}.jpg", smooth((9, 6)), quality=60, exif=orientation(value))
    picture.convert("CMYK").save(FOLDER / "cmyk.jpg", quality=80)


def write_webps():
    picture = smooth((19, 15))
    save("lossy.webp", picture, quality=70)
    save("lossless.webp", picture, lossless=True)
    save("alpha.webp", noisy("RGBA", (7, 6), 11), lossless=True, exact=True)
    save("orientation_8.webp", picture, quality=70, exif=orientation(8))
    picture.save(FOLDER / "animated.webp", save_all=True, append_images=[ImageOps.invert(picture)], duration=100)


# --- What is computed from them ------------------------------------------------------------------------------------

def resized(rgb):
    for name, number in FILTERS.items():
        for size in [(8, 5), (29, 23), (17, 6), (5, 13), (1, 1), (40, 3), (3, 31)]:
            add("resize", rgb.resize(size, number), filter=number)


def center_crop(picture, width, height):
    """Transformers' center_crop: the floor of half the difference, padded with zeros."""
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def shortest_edge(picture, edge, number):
    short, long = sorted(picture.size)
    longer = int(edge * long / short)
    return picture.resize((edge, longer) if picture.width <= picture.height else (longer, edge), number)


def fitted():
    smooth((61, 43)).save(FOLDER / "photo.jpg", quality=70)
    photo = Image.open(FOLDER / "photo.jpg").convert("RGB")
    size = {"height": 12, "width": 14}
    add("fitted", photo.resize((14, 12), 2), config={"image_processor_type": "ViTImageProcessor", "size": size})
    add("fitted", center_crop(shortest_edge(photo, 20, 3), 14, 12),
        config={"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 20}, "crop_size": size})
    add("fitted", center_crop(shortest_edge(photo, int(14 / 0.875), 3), 14, 14),
        config={"feature_extractor_type": "ConvNextFeatureExtractor", "size": 14, "crop_pct": 0.875})
    add("fitted", center_crop(photo.resize((9, 9), 3), 15, 14),
        config={"image_processor_type": "DeiTImageProcessor", "size": 9, "crop_size": [14, 15]})


def operation(picture, name, magnitude):
    """torchvision's list, with magnitudes of -30 to 30."""
    share = magnitude / 30
    affine = lambda matrix: picture.transform(picture.size, Image.AFFINE, matrix, Image.NEAREST, fillcolor=0)
    return {
        "Identity": lambda: picture,
        "ShearX": lambda: affine((1, 0.3 * share, 0, 0, 1, 0)),
        "ShearY": lambda: affine((1, 0, 0, 0.3 * share, 1, 0)),
        "TranslateX": lambda: affine((1, 0, -int(150 / 331 * picture.width * share), 0, 1, 0)),
        "TranslateY": lambda: affine((1, 0, 0, 0, 1, -int(150 / 331 * picture.height * share))),
        "Rotate": lambda: picture.rotate(30 * share, Image.NEAREST),
        "Brightness": lambda: ImageEnhance.Brightness(picture).enhance(1 + 0.9 * share),
        "Color": lambda: ImageEnhance.Color(picture).enhance(1 + 0.9 * share),
        "Contrast": lambda: ImageEnhance.Contrast(picture).enhance(1 + 0.9 * share),
        "Sharpness": lambda: ImageEnhance.Sharpness(picture).enhance(1 + 0.9 * share),
        "Posterize": lambda: ImageOps.posterize(picture, 8 - round(4 * share)),
        "Solarize": lambda: ImageOps.solarize(picture, 255 - 255 * share),
        "AutoContrast": lambda: ImageOps.autocontrast(picture),
        "Equalize": lambda: ImageOps.equalize(picture),
    }[name]()


def operations(rgb):
    signed = ["ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness"]
    # Equalising needs more than 255 pixels; stretching, a picture that is not of all values.
    photo = Image.open(FOLDER / "photo.jpg").convert("RGB").resize((WIDTH + 6, HEIGHT), 2)
    for name in ["Identity", *signed, "Posterize", "Solarize", "AutoContrast", "Equalize"]:
        for magnitude in [9, 23, -17] if name in signed else [20]:
            is_photo = name in ("AutoContrast", "Equalize")
            add("operations", operation(photo if is_photo else rgb, name, magnitude),
                name=name, magnitude=magnitude, photo=is_photo)


def main():
    write_own_pngs()
    rgb = write_pngs()
    write_jpegs()
    write_webps()
    resized(rgb)
    fitted()
    operations(rgb)
    (FOLDER / "expected.bin").write_bytes(expected)
    lines = [json.dumps(kind) + ": [\n" + ",\n".join(map(json.dumps, rows)) + "\n]" for kind, rows in cases.items()]
    (FOLDER / "cases.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
