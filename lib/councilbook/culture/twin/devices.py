"""The air that an access point hears when invented people with invented phones are near: who was there is known.

A phone asks for networks in bursts of a few frames. What address it shows in them depends on how it randomises.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

POLICIES = ("global", "network", "day", "hour", "burst")
PHONES_TODAY: Mapping[str, float] = {"global": 0.06, "network": 0.24, "day": 0.15, "hour": 0.15, "burst": 0.4}
LOCAL, INDIVIDUAL = np.uint64(0x02 << 40), np.uint64(0xFCFFFFFFFFFF)
PERIOD_SECONDS = {"day": 86_400, "hour": 3_600}
BURST_SECONDS = 0.4  # within which a burst's frames come, one channel after the other

UIntArray = NDArray[np.uint64]


@dataclass(frozen=True)
class Phones:
    """What people carry, and how it behaves.

    `without`, `second` and `associated` are shares of people without wifi, of people with a second device and of
    devices on the museum's network. `bursts_a_minute` is the median of devices, which differ by the log-normal
    `spread`. There are so many `models`, a few of them common. Signals differ by device and by frame (dB), and an
    access point hears nothing under `floor_dbm`.
    """

    without: float = 0.12
    second: float = 0.12
    associated: float = 0.1
    bursts_a_minute: float = 0.35
    spread: float = 0.7
    frames_a_burst: float = 3.0
    models: int = 40
    device_db: float = 3.0
    frame_db: float = 4.0
    floor_dbm: float = -95.0


def emit_frames(
    presences: pd.DataFrame, rng: np.random.Generator, policy: str | Mapping[str, float], phones: Phones | None = None
) -> pd.DataFrame:
    """Draw the frames that phones send where and while their owners are present.

    `presences` has person, zone, arrived, left (UTC) and signal_dbm, the mean signal where that person stands. `policy`
    is one of POLICIES or a mixture {policy: share}; `PHONES_TODAY` is one. Returns time, zone, address (48 bits),
    signal_dbm, fingerprint (of the information elements) and network (whether on the museum's), in the order of time.
    """
    phones, mixture = phones or Phones(), {policy: 1.0} if isinstance(policy, str) else policy
    shares = np.array([mixture.get(name, 0.0) for name in POLICIES]) / sum(mixture.values())
    arrived = presences["arrived"].to_numpy("datetime64[s]").astype(np.int64)
    minutes = (presences["left"].to_numpy("datetime64[s]").astype(np.int64) - arrived) / 60
    person, people = pd.factorize(presences["person"])
    carried = 1 + (rng.random(len(people)) < phones.second)
    owners = np.repeat(np.arange(len(people)), np.where(rng.random(len(people)) < phones.without, 0, carried))
    per_device = _draw_devices(len(owners), shares, phones, rng)

    first, number = np.searchsorted(owners, person), np.bincount(owners, minlength=len(people))[person]
    stay = np.repeat(np.arange(len(presences)), number)  # a presence once for each device carried
    device = np.repeat(first, number) + np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    bursts = rng.poisson(per_device["rate"].to_numpy()[device] * minutes[stay])
    stay, device = np.repeat(stay, bursts), np.repeat(device, bursts)
    begun = arrived[stay] + rng.random(len(stay)) * minutes[stay] * 60
    address = _show_addresses(per_device, device, begun, rng)
    print_, signal = _show_model(per_device, device, rng), presences["signal_dbm"].to_numpy(float)[stay]
    signal = signal + per_device["gain_db"].to_numpy()[device]

    frames = 1 + rng.poisson(phones.frames_a_burst - 1, len(stay))
    burst = np.repeat(np.arange(len(stay)), frames)
    seconds = np.minimum(
        begun[burst] + rng.random(len(burst)) * BURST_SECONDS, arrived[stay[burst]] + minutes[stay[burst]] * 60
    )
    heard_dbm = (signal[burst] + rng.normal(0, phones.frame_db, len(burst))).round()
    heard = np.flatnonzero(heard_dbm >= phones.floor_dbm)
    order = heard[np.argsort(seconds[heard], kind="stable")]
    burst = burst[order]
    return pd.DataFrame({
        "time": (seconds[order] * 1e6).astype(np.int64).view("datetime64[us]"),
        "zone": presences["zone"].astype("category").array.take(stay[burst]),
        "address": address[burst],
        "signal_dbm": np.minimum(heard_dbm[order], -15).astype(np.float32),
        "fingerprint": print_[burst],
        "network": per_device["network"].to_numpy()[device[burst]],
    })  # fmt: skip


def _draw_devices(number: int, shares: NDArray[np.float64], phones: Phones, rng: np.random.Generator) -> pd.DataFrame:
    """Draw each device: its secret, policy, model, bursts a minute, gain, and whether it is on the museum's network."""
    common = 1 / np.arange(1, phones.models + 1)
    network = rng.random(number) < phones.associated
    policy = rng.choice(len(POLICIES), number, p=shares)
    changing = network & (policy > POLICIES.index("network"))  # keeps one address while it is on a network
    return pd.DataFrame({
        "secret": rng.integers(0, 2**64, number, dtype=np.uint64),
        "policy": np.where(changing, POLICIES.index("network"), policy),
        "model": rng.choice(phones.models, number, p=common / common.sum()),
        "rate": phones.bursts_a_minute * np.exp(rng.normal(0, phones.spread, number)),
        "gain_db": rng.normal(0, phones.device_db, number),
        "network": network,
    })  # fmt: skip


def _show_addresses(
    devices: pd.DataFrame, device: NDArray[np.int64], begun: NDArray[np.float64], rng: np.random.Generator
) -> UIntArray:
    """Show the address of each burst: a mix of the device's secret and of the day, the hour or the burst."""
    policy = devices["policy"].to_numpy()[device]
    turn = np.zeros(len(device), np.uint64)
    for name, seconds in PERIOD_SECONDS.items():
        turn = np.where(policy == POLICIES.index(name), (begun // seconds).astype(np.uint64) + np.uint64(1), turn)
    fresh = rng.integers(1, 2**64, len(device), dtype=np.uint64)
    turn = np.where(policy == POLICIES.index("burst"), fresh, turn)
    address = mix_bits(devices["secret"].to_numpy()[device] ^ mix_bits(turn)) & INDIVIDUAL
    return np.where(policy == POLICIES.index("global"), address, address | LOCAL)


def _show_model(devices: pd.DataFrame, device: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.uint32]:
    """Show the fingerprint of each burst; a model has one for most bursts, another with its screen on."""
    state = (rng.random(len(device)) < 0.2).astype(np.uint64)
    model = devices["model"].to_numpy()[device].astype(np.uint64)
    return (mix_bits(model * np.uint64(2) + state + np.uint64(1)) >> np.uint64(32)).astype(np.uint32)


def mix_bits(value: UIntArray) -> UIntArray:
    """Mix 64 bits so that like numbers become unlike ones (the finaliser of SplitMix64; Steele and others, 2014)."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
