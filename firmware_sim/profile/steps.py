"""Which step of decoding a function belongs to: that of its file, and in the room of a kind of Gaussian that of its
section."""

from __future__ import annotations

from audio_gs.codec.kinds import KINDS

from ..build.elf import LIBRARY, Chain

ROOMS = {
    "tone": {
        "fields": (
            "gs_tone_class_is_legal",
            "gs_tone_header_is_legal",
            "gs_tone_hop_mask",
            "gs_tone_longest",
            "gs_tone_read_header",
            "gs_tone_support",
        ),
        "syntax": (
            "gs_tone_contexts",
            "gs_tone_phase_bits",
            "gs_tone_read",
            "gs_tone_read_side",
            "gs_tone_scale",
            "gs_tone_scales",
            "gs_tone_start_segment",
        ),
        "dequantise": ("gs_tone_dequantise", "gs_tone_side", "gs_tone_step"),
        "render": (
            "gs_stretch_late",
            "gs_stretch_piece",
            "gs_stretch_piece_of",
            "gs_stretch_samples",
            "gs_stretch_set",
            "gs_stretch_size",
            "gs_tone_add_all",
            "gs_tone_add_line",
            "gs_tone_add_part",
            "gs_tone_add_run",
            "gs_tone_add_stretched",
            "gs_tone_between",
            "gs_tone_bytes",
            "gs_tone_drop_ended",
            "gs_tone_end_block",
            "gs_tone_find_octaves",
            "gs_tone_forget",
            "gs_tone_held",
            "gs_tone_hold",
            "gs_tone_keep_history",
            "gs_tone_most",
            "gs_tone_open",
            "gs_tone_part_of",
            "gs_tone_render",
            "gs_tone_render_piece",
            "gs_tone_render_pieces",
            "gs_tone_render_stretched",
            "gs_tone_start_block",
            "gs_tone_stretched_part",
            "gs_tone_time_at",
            "gs_tone_upsample",
            "gs_tone_upsample_all",
        ),
        "cost": (
            "gs_tone_affordable",
            "gs_tone_cost",
            "gs_tone_least_strength",
            "gs_tone_least_stretched",
            "gs_tone_strength",
            "gs_tone_strength_at",
            "gs_tone_stretched_strength",
        ),
    },
    "noise": {
        "fields": (
            "gs_noise_class_is_legal",
            "gs_noise_frame_log2",
            "gs_noise_frame_samples",
            "gs_noise_header_is_legal",
            "gs_noise_hop_mask",
            "gs_noise_longest",
            "gs_noise_read_header",
        ),
        "syntax": (
            "gs_noise_contexts",
            "gs_noise_place_context",
            "gs_noise_read",
            "gs_noise_read_side",
            "gs_noise_scale",
            "gs_noise_scales",
            "gs_noise_start_segment",
        ),
        "dequantise": (
            "gs_noise_add_levels",
            "gs_noise_age_of",
            "gs_noise_block",
            "gs_noise_bytes",
            "gs_noise_drop_ended",
            "gs_noise_forget",
            "gs_noise_frame_of",
            "gs_noise_held",
            "gs_noise_hold",
            "gs_noise_make_levels",
            "gs_noise_limited_level",
            "gs_noise_most",
            "gs_noise_open",
            "gs_noise_place_bands",
            "gs_noise_support_of",
        ),
        "render": (
            "gs_noise_amplitude_of",
            "gs_noise_clear",
            "gs_noise_fill",
            "gs_noise_fill_apart",
            "gs_noise_forget_older",
            "gs_noise_limited",
            "gs_noise_make_block",
            "gs_noise_make_blocks",
            "gs_noise_overlap",
            "gs_noise_make_frame",
            "gs_noise_make_spectrum",
            "gs_noise_next_random",
            "gs_noise_place_of",
            "gs_noise_raised_by",
            "gs_noise_random_of",
            "gs_noise_render",
            "gs_noise_signed_by",
        ),
        "cost": (),
    },
    "residual": {
        "fields": (
            "gs_residual_class_is_legal",
            "gs_residual_coded",
            "gs_residual_fine_from",
            "gs_residual_header_is_legal",
            "gs_residual_level_step",
            "gs_residual_read_header",
            "gs_residual_values",
        ),
        "syntax": (
            "gs_residual_begin_frame",
            "gs_residual_bytes",
            "gs_residual_forget",
            "gs_residual_read_change",
            "gs_residual_read_unary",
            "gs_residual_read_value",
            "gs_residual_read_values",
            "gs_residual_start_segment",
            "gs_residual_weight_of",
        ),
        "dequantise": (
            "gs_residual_add_tone",
            "gs_residual_add_tones",
            "gs_residual_limited_step",
            "gs_residual_make_intervals",
            "gs_residual_make_steps",
            "gs_residual_noises_of_segment",
        ),
        "render": (
            "gs_residual_amplitude_of",
            "gs_residual_fill_slowly",
            "gs_residual_get_fine",
            "gs_residual_keep",
            "gs_residual_make_block",
            "gs_residual_make_coded",
            "gs_residual_make_paced_frame",
            "gs_residual_make_played_block",
            "gs_residual_make_spectrum",
            "gs_residual_make_spectrum_apart",
            "gs_residual_next",
            "gs_residual_noise",
        ),
        "cost": (),
    },
}
"""The functions of each room, gs_tone.[ch] and so on, by its sections."""

FILES_OF_A_ROOM = (".c", ".h", "_run.h")
"""What the names of its files end with, behind gs_room."""

_SECTION_STEPS = {
    f"gs_{room}{suffix}:{function}": f"{room}: {section}"
    for room, sections in ROOMS.items()
    for section, functions in sections.items()
    for function in functions
    for suffix in FILES_OF_A_ROOM
}
_UNSECTIONED = tuple(kind.name for kind in KINDS if kind.name not in ROOMS)
"""Kinds whose functions are not listed: each is one step."""
_STEP_OF_FILE = {
    **{f"gs_{name}{suffix}": name for name in _UNSECTIONED for suffix in (".c", ".h")},
    "gs_container.c": "container",
    "gs_range_coder.c": "range coder",
    "gs_slots.c": "slots",
    "gs_residual.c": "residual",
    "gs_transform.c": "transform",
    "gs_pcm.c": "pcm",
    "gs_stereo.c": "two channels",
    "gs_listener.c": "listener",
    "gs_pace.c": "playback",
    "gs_playback.c": "playback",
    "gs_decoder.c": "decoder",
    "gs_error.c": "decoder",
    "gs_mixer.c": "mixer",
    "gs_bus.c": "mixer",
    "runtime.c": "memory functions",
    LIBRARY: "memory functions",
}
_STEP_OF_HELPERS = {
    "gs_platform.h": "decoder",
    "gs_container.h": "container",
    "gs_symbols.h": "slots",
    "gs_residual.h": "residual",
    "gs_stereo.h": "two channels",
    "gs_logarithm.h": "residual",
    "gs_playback.h": "playback",
    "gs_transform.h": "transform",
}
"""Of headers whose functions are inlined into others, and belong to their step, unless a compiler sets them apart."""

STEPS = (
    "container",
    "range coder",
    "slots",
    *(f"{room}: {section}" for room, sections in ROOMS.items() for section in sections),
    *_UNSECTIONED,
    "residual",
    "transform",
    "pcm",
    "two channels",
    "listener",
    "playback",
    "decoder",
    "mixer",
    "memory functions",
)
"""In the order of SPEC.md, then what belongs to none of them."""


def step_of(chain: Chain) -> str:
    """The step of a function, given with those that it was inlined into, itself first."""
    if not chain:
        return "unknown"
    for function in chain:
        step = _SECTION_STEPS.get(function) or _STEP_OF_FILE.get(_file(function))
        if step:
            return step
    return _STEP_OF_HELPERS.get(_file(chain[-1]), "other")


def _file(function: str) -> str:
    return function.partition(":")[0]
