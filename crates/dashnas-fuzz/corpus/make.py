"""Makes the valid files of the corpus, from which damaged ones are made. Needs NumPy, SciPy, PyArrow, h5py,
Pillow and soundfile.

    python make.py

Nothing here is anybody's data. Files that stand beside those made here were found while fuzzing."""

import decimal
import datetime
import gzip
import io
import pickle
import struct
import wave
import zlib
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import scipy.io
import scipy.sparse
import soundfile
from PIL import Image

HERE = Path(__file__).parent


def put(name, data):
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def npy(array):
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


ramp = np.arange(60)
labels = np.array([0, 1] * 5)

# npy
for name, dtype in [("f4", "<f4"), ("f8", "<f8"), ("big", ">i4"), ("u1", "u1"), ("half", "<f2"), ("long", "<i8")]:
    put(f"npy/{name}", npy(ramp.reshape(10, 1, 6).astype(dtype)))
put("npy/fortran", npy(np.asfortranarray(ramp.reshape(10, 6).astype("<f4"))))
put("npy/bool", npy(ramp.reshape(10, 2, 3) % 2 == 0))
put("npy/text", npy(np.array(["a", "bcd", "é"])))
put("npy/objects", npy(np.array({"a": [1, 2], "b": "c"}, dtype=object)))
put("npy/images", npy((ramp.repeat(5) % 256).reshape(10, 5, 2, 3).astype("u1")))

put("npy/targets", npy(labels.astype("u1")))

# npz
x, y = ramp.reshape(10, 1, 6).astype("f4"), labels.astype("i4")
for name, save in [("stored", np.savez), ("packed", np.savez_compressed)]:
    out = io.BytesIO()
    save(out, x_train=x[:6], y_train=y[:6], x_val=x[:2], y_val=y[:2], x_test=x[6:], y_test=y[6:],
         classes=np.array(["no", "yes"]), group_train=np.arange(6))
    put(f"npz/{name}", out.getvalue())
out = io.BytesIO()
np.savez(out, x=x, y=np.stack([y, 1 - y, y], 1))
put("npz/labels", out.getvalue())
out = io.BytesIO()
np.savez(out, x=x, y=np.array([b"no", b"yes"])[labels][:, None], subject=np.arange(10) // 2 + 2**40, z=np.zeros(2, "c8"))
put("npz/bytes", out.getvalue())
out = io.BytesIO()
np.savez(out, x=np.moveaxis(x, 0, 2), y=labels.astype("u8") + np.uint64(2**63))
put("npz/large_labels", out.getvalue())
out = io.BytesIO()
np.savez(out, x=x, y=np.array(["no", np.str_("yés")], dtype=object)[labels], subject=np.array(list("aabbccddee"), dtype=object),
         sample_weight=np.array([1, 2.5] * 5, dtype=object), pieces=np.array([x[0], None], dtype=object))
put("npz/objects", out.getvalue())
# Series of unequal lengths: two channels, with the time first.
series = np.empty(10, dtype=object)
series[:] = [x[i, 0, : 3 + i % 4].repeat(2).reshape(-1, 2) for i in range(10)]
out = io.BytesIO()
np.savez(out, x=series, y=labels)
put("npz/series", out.getvalue())
put("npy/series", npy(series))

# pickle
thing = {"a": [1, -2, 300, 70000, 2**40], "b": (1.5, None, True), "c": "é", "d": b"\x00\xff", "e": {1, 2}}
arrays = {"data": np.arange(6, dtype="u1").reshape(2, 3), "label": np.array(["N", "~"], dtype=object),
          "x": np.asfortranarray(np.ones((2, 2), "f4")), "n": np.int64(-2), "f": np.float64(0.5)}
for protocol in range(6):
    put(f"pickle/plain.{protocol}", pickle.dumps(thing, protocol))
    put(f"pickle/arrays.{protocol}", pickle.dumps(arrays, protocol))

# ts, arff, tsv, csv, fasta: text
put("ts/plain", "#\n@problemName t\n@timestamps false\n@univariate false\n@equalLength true\n@seriesLength 3\n"
    "@classLabel true a b\n@data\n" + "1,2,?:3,4,5:a\n5,6,7:8,9,10:b\n" * 5)
head = "@problemName t\n@univariate false\n@classLabel true a b\n@data\n"
put("ts/plain_train", head + "1,2,3:3,4,5:a\n5,6,7:8,9,10:b\n" * 3)
put("ts/plain_test", head + "1,1,1:3,3,3:b\n5,5,5:8,8,8:a\n")
put("ts/unequal", "@problemName t\n@classLabel true 1 2\n@data\n" + "1,2:1\n1,2,3,4:2\n" * 5)
put("ts/regression", "@targetlabel true\n@data\n" + "".join(f"1,2,{i}:{i / 4}\n" for i in range(10)))
put("arff/plain", "% c\n@relation 'r'\n@attribute a numeric\n@attribute 'b c' real\n@attribute class {x, 'y z'}\n@data\n"
    + "1,2,x\n?,4,'y z'\n" * 5)
put("ts/stamps", head.replace("@", "@timeStamps true\n@", 1) + "(0,1),(1,2):(0,3),(1,4):a\n(5,1),(6,2):(5,3),(6,4):b\n" * 5)
put("ts/dates", "@timestamps true\n@targetlabel true\n@data\n"
    + "".join(f"(2024-02-28 00:00:00,1),(2024-02-29 00:00:00,2):{i / 4}\n" for i in range(10)))
put("arff/sparse", "@relation r\n@attribute a real [0, 9]\n@attribute s string\n@attribute d date 'yyyy'\n"
    "@attribute class {x, y}\n@inputs a\n@outputs class\n@data\n" + "{0 1.5, 1 'a b'}\n{0 2, 3 y}\n" * 5)
put("arff/relational", "@relation r\n@attribute s relational\n@attribute a0 numeric\n@attribute a1 numeric\n@end s\n"
    "@attribute k {A,'B c'}\n@data\n" + "\"1,2\\n3,4\",A\n'5,6\\n7,8',\"B c\"\n" * 5)
put("tsv/plain", "1\t2.5\tNaN\t3\n-1\t3e4\t5\t0.1\n" * 5)
put("tsv/spaces", "  1.0  2.0  3.0\n  2.0  4.0  5.5\n" * 5)
put("tsv/header", "label\ta\tb\nx\t1\t2\ny\t3\t4\n" + "x\t5\t6\ny\t7\t8\n" * 4)
put("csv/plain", "a,b,label\n" + "".join(f"{i},{i * i},{'cat' if i % 2 else 'dog'}\n" for i in range(10)))
put("csv/quoted", 'a;"b ""q""";label\r\n' + '1;2;x\r\n3;;"y\nz"\r\n' * 5)
put("csv/bare", "1,2,0\n3,4,1\n" * 5)
put("csv/dna", "class,name,sequence\n" + "EI,n1,ACGTN\nIE,n2,AC-GT\n" * 5)
put("csv/letters", "".join(",".join("ACGTACGTAC"[i % 3:][:8]) + f",{i % 2}\n" for i in range(10)))
put("csv/group", "a,b,label,patient\n" + "".join(f"{i},{i},{i % 2},p{i // 2}\n" for i in range(12)))
put("fasta/labels", ">a|x\nACGTN\nAC-GT\n;note\n>b y|z\nMKV*\n" + ">c|x\nACGT\n>d|z\nGGGG\n" * 4)
put("fasta/bare", ">a\nACGT\n>b\nGGTT\n")

# idx
body = bytes(range(160))
put("idx/images", b"\0\0\x08\x03" + struct.pack(">3I", 10, 4, 4) + body)
put("idx/shorts", b"\0\0\x0b\x02" + struct.pack(">2I", 10, 8) + body)
put("idx/floats", b"\0\0\x0d\x02" + struct.pack(">2I", 10, 4) + np.arange(40, dtype=">f4").tobytes())
put("idx/doubles", b"\0\0\x0e\x03" + struct.pack(">3I", 10, 1, 2) + np.arange(20, dtype=">f8").tobytes())
put("idx/labels", b"\0\0\x08\x01" + struct.pack(">I", 10) + bytes([3, 8] * 5))
put("idx_gz/images", gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 10, 4, 4) + body, mtime=0))

# mat
variables = {"x": ramp.reshape(10, 6).astype("f8"), "y": labels.astype("f8")[:, None]}
for name, how in [("4", {"format": "4"}), ("5", {"format": "5"}), ("5_packed", {"format": "5", "do_compression": True})]:
    out = io.BytesIO()
    scipy.io.savemat(out, variables, **how)
    put(f"mat/{name}", out.getvalue())
out = io.BytesIO()
scipy.io.savemat(out, {"X": ramp.reshape(10, 2, 3).astype("i2"), "label": np.array(["a", "bc"] * 5, dtype=object),
                       "s": {"f": 1.0}, "c": np.array([1j]), "t": "text", "l": np.array([[True, False]])})
put("mat/5_kinds", out.getvalue())
out = io.BytesIO()
scipy.io.savemat(out, {"data": {"X": ramp.reshape(10, 6).astype("u1"), "y": labels.astype("i8") + 2**40},
                       "s": np.array([(1.0, 2.0)] * 2, dtype=[("a", "f8"), ("b", "f8")]),
                       "p": scipy.sparse.csc_matrix(np.eye(3))})
put("mat/5_struct", out.getvalue())
out = io.BytesIO()
scipy.io.savemat(out, {"x": scipy.sparse.csc_matrix(ramp.reshape(10, 6) % 7 * 1.0), "y": labels[:, None] * 1.0})
put("mat/5_sparse", out.getvalue())
out = io.BytesIO()
scipy.io.savemat(out, {"x": ramp.reshape(2, 3, 10).astype("u1"), "y": labels[:, None].astype("u1")})
put("mat/5_samples_last", out.getvalue())

# h5: links and types; the plainest file is made by the test itself
def h5(name, fill, **how):
    out = io.BytesIO()
    with h5py.File(out, "w", **how) as file:
        fill(file)
    put(f"h5/{name}", out.getvalue())


def linked(file):
    file["x"], file["meta/labels"] = x, labels
    file["y"], file["gone"], file["loop"] = (h5py.SoftLink(to) for to in ("meta/labels", "/nowhere", "/loop"))


def kinds(file):
    file["x"], file["z"] = x.astype("f2"), np.zeros(2, "c8")
    file.create_dataset("y", data=labels.astype("i2"), dtype=h5py.enum_dtype({"no": 0, "yes": 1}, basetype="i2"))
    file["t"] = np.array([b"a", b"bc"])


def packed(file):
    for name, n in (("sample", 10), ("x", 1), ("time", 6)):
        file[name] = np.arange(n, dtype="f4")
        file[name].make_scale(name)
    file["signal"], file["label"] = ramp.reshape(10, 1, 6).astype("i2"), labels.astype("i2")
    file["signal"].attrs.update(scale_factor=0.5, add_offset=1.0, _FillValue=np.int16(-1))


def cells(file):
    file.attrs["encoding-type"] = "anndata"
    matrix, group = scipy.sparse.csr_matrix(ramp.reshape(10, 6) % 7 * 1.0), file.create_group("X")
    group.attrs.update({"encoding-type": "csr_matrix", "shape": matrix.shape})
    group["data"], group["indices"], group["indptr"] = matrix.data, matrix.indices, matrix.indptr
    file["obs/_index"], file["obs/x"] = np.arange(10), np.arange(10.0)
    file["obs/kind/codes"], file["obs/kind/categories"] = labels.astype("i1"), np.array([b"no", b"yes"])


h5("links", linked)
h5("sparse", cells)
h5("links_new", linked, libver=("v110", "v110"))
h5("kinds", kinds)
h5("packed", packed)

# wav
for name, width, channels in [("8", 1, 1), ("16", 2, 1), ("24", 3, 2), ("32", 4, 1)]:
    out = io.BytesIO()
    with wave.open(out, "wb") as f:
        f.setnchannels(channels), f.setsampwidth(width), f.setframerate(8000)
        f.writeframes(bytes(i * 37 % 256 for i in range(120 * width * channels)))
    put(f"wav/{name}", out.getvalue())
floats = np.sin(np.arange(100), dtype="f4").tobytes()
put("wav/float", b"RIFF" + struct.pack("<I", 36 + len(floats)) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 3, 1, 8000,
    32000, 4, 32) + b"data" + struct.pack("<I", len(floats)) + floats)


# png
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, color, row, more=b""):
    lines = b"".join(b"\0" + bytes((r * 7 + i) % 256 for i in range(row)) for r in range(height))
    head = struct.pack(">2I5B", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


put("png/grey", png(5, 4, 8, 0, 5))
put("png/grey16", png(5, 4, 16, 0, 10))
put("png/bits", png(5, 4, 1, 0, 1))
put("png/rgb", png(5, 4, 8, 2, 15))
put("png/rgba16", png(3, 2, 16, 6, 24))
put("png/palette", png(5, 4, 2, 3, 2, chunk(b"PLTE", bytes(range(12))) + chunk(b"tRNS", b"\x80")))

# labels
put("labels/named", "file,label,split,g\n1.wav,a,train,p\n2.wav,b,train,q\nc/3.wav,a,test,p\n4,b,test,r\n")
put("labels/bare", "1,x\n2,y\nc/3.wav,x\n4,y\n")
put("labels/many", 'fname,labels\n1,"a,b"\n2,a|b\n4,a\n')

# parquet
n = 20
table = pa.table({
    "f": pa.array([i * 0.25 for i in range(n)], pa.float32()),
    "d": pa.array([None if i % 7 == 3 else i / 3 for i in range(n)], pa.float64()),
    "i": pa.array(range(n), pa.int32()),
    "s": pa.array([i - 5 for i in range(n)], pa.int8()),
    "u": pa.array([2**32 - 1 - i for i in range(n)], pa.uint32()),
    "b": pa.array([i % 3 == 0 for i in range(n)], pa.bool_()),
    "label": pa.array([["cat", "dog", "eel"][i % 3] for i in range(n)]).dictionary_encode(),
})
for name, how in [
    ("snappy", {}),
    ("plain", {"compression": "none", "use_dictionary": False}),
    ("gzip_v2", {"compression": "gzip", "data_page_version": "2.0", "version": "2.6"}),
    ("zstd", {"compression": "zstd", "row_group_size": 7}),
    ("lz4", {"compression": "lz4"}),
    ("split", {"use_dictionary": False, "use_byte_stream_split": ["f", "d"], "compression": "none"}),
    ("delta", {"use_dictionary": False, "compression": "none", "column_encoding": {
        "i": "DELTA_BINARY_PACKED", "u": "DELTA_BINARY_PACKED", "label": "DELTA_BYTE_ARRAY"}}),
]:
    out = io.BytesIO()
    pq.write_table(table, out, **how)
    put(f"parquet/{name}", out.getvalue())
day = datetime.date(2020, 2, 28)
logical = pa.table({
    "date": pa.array([day + datetime.timedelta(i) for i in range(n)]),
    "ms": pa.array([datetime.datetime(2020, 1, 1, 0, 0, i) for i in range(n)], pa.timestamp("ms")),
    "us": pa.array([datetime.datetime(2020, 1, 1, 0, 0, i) for i in range(n)], pa.timestamp("us")),
    "before": pa.array([datetime.datetime(1969, 12, 31, 23, 59, i) for i in range(n)], pa.timestamp("us")),
    "ns": pa.array([datetime.datetime(2020, 1, 1, 0, 0, i) for i in range(n)], pa.timestamp("ns")),
    "time": pa.array([datetime.time(1, 2, i) for i in range(n)], pa.time32("ms")),
    "small": pa.array([decimal.Decimal(f"{i - 3}.25") for i in range(n)], pa.decimal128(6, 2)),
    "large": pa.array([decimal.Decimal(f"{3 - i}.125") for i in range(n)], pa.decimal128(30, 3)),
    "half": pa.array(np.arange(n, dtype="f2") / 4),
    "label": pa.array([["cat", "dog"][i % 2] for i in range(n)]),
})
for name, how in [("logical", {}), ("logical_decimals", {"store_decimal_as_integer": True, "use_dictionary": False}),
                  ("logical_old", {"use_deprecated_int96_timestamps": True})]:
    out = io.BytesIO()
    pq.write_table(logical, out, **how)
    put(f"parquet/{name}", out.getvalue())
out = io.BytesIO()
pq.write_table(pa.table({"l": pa.array([[1, 2], [3]] * 5), "label": pa.array(["a", "b"] * 5)}), out)
put("parquet/lists", out.getvalue())

bomb = pa.array(["a" * 500_000] * 4000).dictionary_encode()
out = io.BytesIO()
pq.write_table(pa.table({"i": pa.array(range(4000)), "j": pa.array(range(4000)), "label": bomb}), out, compression="zstd")
put("parquet/bomb", out.getvalue())

# Sound of a tenth of a second in each format, and images of 4×3 pixels.
tone = 0.4 * np.sin(np.arange(800) / 3)
for name, file_format, subtype in [("flac", "FLAC", "PCM_16"), ("ogg", "OGG", "VORBIS"),
                                   ("mp3", "MP3", "MPEG_LAYER_III"), ("aiff", "AIFF", "PCM_16")]:
    out = io.BytesIO()
    soundfile.write(out, tone, 8000, format=file_format, subtype=subtype)
    put(f"{name}/plain", out.getvalue())
for name, subtype in [("double", "DOUBLE"), ("mulaw", "ULAW"), ("adpcm", "IMA_ADPCM")]:
    out = io.BytesIO()
    soundfile.write(out, tone[:200], 8000, format="WAV", subtype=subtype)
    put(f"wav/{name}", out.getvalue())
out = io.BytesIO()
soundfile.write(out, tone[:200], 8000, format="RF64", subtype="PCM_16")
put("wav/rf64", out.getvalue())
pixels = (np.arange(36).reshape(3, 4, 3) * 7).astype("u1")
color = Image.fromarray(pixels)
for name, image, file_format, how in [
    ("tif/plain", color, "TIFF", {}), ("tif/lzw", color, "TIFF", {"compression": "tiff_lzw"}),
    ("tif/deep", Image.fromarray(pixels[..., 0].astype("u2") * 257), "TIFF", {}),
    ("tif/pages", color, "TIFF", {"save_all": True, "append_images": [color]}),
    ("webp/lossless", color, "WEBP", {"lossless": True}), ("webp/lossy", color, "WEBP", {}),
    ("webp/animated", color, "WEBP", {"save_all": True, "append_images": [color.transpose(0)]}),
    ("bmp/plain", color, "BMP", {}), ("bmp/palette", color.convert("P"), "BMP", {}),
    ("gif/plain", color.convert("P"), "GIF", {}),
    ("gif/animated", color, "GIF", {"save_all": True, "append_images": [color.transpose(0)]}),
    ("pnm/color", color, "PPM", {}), ("pnm/gray", color.convert("L"), "PPM", {}),
]:
    out = io.BytesIO()
    image.save(out, format=file_format, **how)
    put(name, out.getvalue())

# FASTQ, WFDB headers and EDF.
put("fastq/plain", "".join(f"@r{i}|{'xy'[i % 2]}\n{'ACGTN'[i % 5] * 6}\n+\nIIIIII\n" for i in range(10)))
put("wfdb/plain", "A 2 300 100\n#Dx: x\nA.dat 16 200(0)/mV 16 0 5 0 0 lead I\nA.dat 16 200/mV 16 0 5 0 0 lead II\n")
put("wfdb/packed", "A 2 250/1(0) 40 12:00:00 1/1/2000\nA.dat 212x2:1+3 0 12 0 0 0 0 I\nA.dat 212x2 1e2(5) 12\n# y\n")
put("wfdb/segments", "A/3 1 300 140\nB 40\n~ 60\nB 40\n")
word = lambda code, distance: (code << 10 | distance).to_bytes(2, "little")
put("atr/rhythms", word(28, 2) + word(63, 2) + b"(N" + word(1, 10) + word(28, 30) + word(63, 5) + b"(AFIB\0" + word(0, 0))
put("atr/beats", word(22, 0) + word(63, 22) + b"## time resolution: 10" + word(1, 2) + word(59, 0) + b"\0\0\5\0" + word(5, 1) + word(0, 0))
put("csv/steps", "rec,time,x,y,label\n" + "".join(f"{r},{i / 4},{i * 7 % 5},{i},{'ab'[i // 4 % 2]}\n" for r in "pqs" for i in range(12)))
signals = [("Fp1", 16), ("Cz", 16), ("Temp", 2)]


def edf(width, version):
    fields = lambda size, values: "".join(str(value).ljust(size)[:size] for value in values)
    head = version + fields(80, ["X", "Y"]) + "01.01.00" + "00.00.00" + fields(8, [256 * 4]) + fields(44, [""])
    head += fields(8, [5, 1]) + fields(4, [3])
    head += fields(16, [name for name, _ in signals]) + fields(80, [""] * 3) + fields(8, ["uV"] * 3)
    head += fields(8, [-100] * 3) + fields(8, [100] * 3) + fields(8, [-2048] * 3) + fields(8, [2047] * 3)
    head += fields(80, [""] * 3) + fields(8, [n for _, n in signals]) + fields(32, [""] * 3)
    body = b"".join((i * 37 % 900 - 400).to_bytes(width, "little", signed=True) for i in range(5 * 34))
    return head.encode("latin-1") + body


put("edf/plain", edf(2, "0".ljust(8)))
put("edf/bdf", edf(3, "\xffBIOSEMI"))


def annotated(width, version, kind, signal, lists):
    """Records of a second, each with a list of annotations: | stands for 0x14, ~ for 0x15 and ; for 0."""
    fields = lambda size, values: "".join(str(value).ljust(size)[:size] for value in values)
    block = 48
    names = ["Fp1"] * signal + [kind[:3] + " Annotations"]
    n = len(names)
    head = version + fields(80, ["X", "Y"]) + "01.01.00" + "00.00.00" + fields(8, [256 * (n + 1)]) + fields(44, [kind])
    head += fields(8, [len(lists), 1]) + fields(4, [n]) + fields(16, names) + fields(80, [""] * n)
    head += fields(8, ["uV"] * n) + fields(8, [-100] * n) + fields(8, [100] * n) + fields(8, [-2048] * n)
    head += fields(8, [2047] * n) + fields(80, [""] * n) + fields(8, [8] * signal + [block // width]) + fields(32, [""] * n)
    body = b""
    for r, text in enumerate(lists):
        body += b"".join((i * 37 % 90 - 40 + r).to_bytes(width, "little", signed=True) for i in range(8 * signal))
        body += text.translate({ord("|"): "\x14", ord("~"): "\x15", ord(";"): "\0"}).encode().ljust(block, b"\0")
    return head.encode("latin-1") + body


own = ["+0||;+0~0.7|W|;+0.7~1|R|;", "+1||;+1.7~0.6|W|;+1|moment|;", "+2||;+2.3~0.7|R|;"]
put("edf/annotated", annotated(2, "0".ljust(8), "EDF+C", 1, own))
put("edf/gap", annotated(2, "0".ljust(8), "EDF+D", 1, [own[0], "+90||;+90~2|R|;+91~9|Sleep stage ?|;"]))
put("edf/bdf_annotated", annotated(3, "\xffBIOSEMI", "BDF+C", 1, own))
put("edf/hypnogram", annotated(2, "0".ljust(8), "EDF+C", 0, ["+0~2|W|;+2~1|Sleep stage ?|;", "+3~2|R|A|;"]))
# arrow
lists = pa.table({
    "u": pa.array([[i, i + 1.5, None] for i in range(n)], pa.list_(pa.float32())),
    "v": pa.array([[[i, 2], [3, 4]] for i in range(n)], pa.list_(pa.list_(pa.int16()))),
    "label": pa.array([["cat", "dog"][i % 2] for i in range(n)]),
})
for name, rows, how in [("plain", table, "uncompressed"), ("lz4", table, "lz4"), ("logical", logical, "uncompressed"),
                        ("lists", lists, "lz4"), ("zstd", table, "zstd")]:
    out = io.BytesIO()
    pyarrow.feather.write_feather(rows, out, compression=how, chunksize=7)
    put(f"arrow/{name}", out.getvalue())
out = io.BytesIO()
with pa.ipc.new_stream(out, table.schema) as stream:
    stream.write_table(table, max_chunksize=7)
put("arrow/stream", out.getvalue())
out = io.BytesIO()
pq.write_table(lists, out)
put("parquet/nested", out.getvalue())

# jsonl
put("jsonl/plain", "".join(f'{{"a": {i}, "b": {i * i}.5, "label": "{"xy"[i % 2]}"}}\n' for i in range(12)))
put("jsonl/lists", "".join(f'{{"s": [{i}, null, 2], "n": [[1], [{i}]], "label": {i % 3}}}\n' for i in range(12)))
put("jsonl/gaps", '{"a": null}\n\n{"b": true, "a": "1,5", "label": "x"}\n{"label": "y", "b": false}\n' * 3)
put("csv/dialect", "sep=;\n# note\na;b;label\n" + "".join(f"{i},5;1.{i:03},5;'x{i % 2}'\n" for i in range(12)))
put("csv/roles", "id,time,split,subject,code,a,b,label\n" + "".join(
    f"{i * 7 % 12},{1700000000 + i},{['train', 'test'][i // 9]},s{i // 3},{i % 2},{i}.5,{i * i},{'xy'[i % 2]}\n" for i in range(12)))
