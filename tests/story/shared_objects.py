"""Balancing plug-ins for stories, compiled where they run."""

import os
import subprocess

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
EXAMPLE = os.path.join(ROOT, "tools", "balancer_example", "weir_balancer_example.c")

# One that picks the first member which is usable and fits `wanted`, an expression of what create() has seen of it.
FRAME = """
#include <stdlib.h>
#include <string.h>
#include <weir_balancer.h>
static const char* label(const struct weir_member* member, const char* key) {
  for (uint32_t i = 0; i < member->label_count; ++i) {
    if (strcmp(member->labels[i].key, key) == 0) return member->labels[i].value;
  }
  return "";
}
struct balancer { uint32_t count; char fits[64]; };
static void* create(const struct weir_members* members, const char* options, char* error, size_t size) {
  (void)options; (void)error; (void)size;
  struct balancer* made = calloc(1, sizeof *made);
  made->count = members->count;
  for (uint32_t i = 0; i < members->count; ++i) {
    const struct weir_member* member = weir_member_at(members, i);
    made->fits[i] = (@wanted@) ? 1 : 0;
  }
  return made;
}
static void init(const void* made, void* state, uint64_t seed, const void* previous) {
  (void)made; (void)seed;
  if (previous != NULL) *(uint64_t*)state = *(const uint64_t*)previous;
}
static uint32_t choose(const void* made, void* state, const struct weir_pick* pick) {
  const struct balancer* balancer = made;
  const uint64_t turn = (*(uint64_t*)state)++;
  (void)turn;
  @first@
  for (uint32_t i = 0; i < balancer->count; ++i) {
    if (balancer->fits[i] && pick->usable(pick, i)) return i;
  }
  return WEIR_NO_ENDPOINT;
}
const struct weir_balancer* weir_balancer_entry(void) {
  static const struct weir_balancer balancer = {
      .abi_version = @abi@, .struct_size = sizeof balancer, .name = @name@, .wants = @wants@,
      .state_size = sizeof(uint64_t), .create = create, .destroy = free, .state_init = init, .pick = @pick@};
  return @entry@;
}
"""
USUAL = {"wanted": "member->share > 0", "first": "", "abi": "WEIR_BALANCER_ABI", "name": '"story"', "wants": "0",
         "pick": "choose", "entry": "&balancer"}


def source(**more):
    """Of a plug-in that is as USUAL, but for what is said."""
    text = FRAME
    for key, value in {**USUAL, **more}.items():
        text = text.replace(f"@{key}@", value)
    return text


def compile_file(c_file, path):
    """The shared object is there in one piece, or not at all, as an update has to be."""
    subprocess.run([os.environ.get("CC", "cc"), "-std=c99", "-O1", "-shared", "-fPIC",
                    "-I", os.path.join(ROOT, "core", "balance"), "-o", path + ".new", c_file], check=True)
    os.chmod(path + ".new", 0o755)
    os.rename(path + ".new", path)
    return path


def compile_text(text, path):
    with open(path + ".c", "w", encoding="utf-8") as file:
        file.write(text)
    return compile_file(path + ".c", path)
