/* What the modules share: no libc, no imports. Memory is handed out upwards; `release_all` takes
 * all of it back at once. */

typedef unsigned int u32;
typedef unsigned char u8;

#define EXPORT(name) __attribute__((export_name(#name)))
#define NONE 0xffffffffu

#ifndef SOURCE_HASH
#define SOURCE_HASH 0u
#endif
EXPORT(source_hash) u32 source_hash(void) { return SOURCE_HASH; }

extern u8 __heap_base;
static u32 heap;

static inline void release_all(void) { heap = 0; }

static inline void *take(u32 bytes) {
  if (!heap) heap = (u32)&__heap_base;
  u32 start = (heap + 15u) & ~15u;
  u32 end = start + bytes;
  if (end < start) __builtin_trap();
  u32 have = __builtin_wasm_memory_size(0) * 65536u;
  if (end > have &&
      __builtin_wasm_memory_grow(0, (end - have + 65535u) / 65536u) == (__SIZE_TYPE__)-1)
    __builtin_trap();
  heap = end;
  return (void *)start;
}

static inline u32 *take_words(u32 count) {
  if (count > 0x3fffffffu) __builtin_trap();
  return take(count * 4u);
}

static inline void clear(u32 *words, u32 count) {
  for (u32 i = 0; i < count; i++) words[i] = 0;
}

static inline u32 float_bits(float f) {
  u32 bits;
  __builtin_memcpy(&bits, &f, 4);
  return bits;
}
