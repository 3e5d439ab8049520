/* What the report tells about a surface: how it hangs together and how it lies on its textures.
 *
 * A "place" is a distinct position to the last bit of float32, where -0 is 0. Time and memory grow
 * with the number of vertices and triangles, whatever the surface: lists that may be long are
 * marked or sorted, never compared each with each, and nobody can choose places that meet in the
 * hash table, because its seed is not known to him.
 *
 * Freestanding. The same input gives the same output on every platform, whatever the seed.
 */

#include "memory.h"

typedef unsigned long long u64;
typedef double Point __attribute__((vector_size(16))); /* On a texture: across and down. */

#define FEW 8u /* Keys that are compared each with each rather than sorted. */

static u64 seed;
static u32 vertex_count, triangle_count, place_count;
static float *points;      /* 3 for each vertex, in the world. */
static float *coordinates; /* 2 for each vertex, on the texture. */
static u32 *triangles;
static u32 *labels; /* By vertex: its place. Places are numbered as they appear. */
static u32 *firsts; /* By place: the first vertex there. */
static u32 *faces;  /* The triangles as places. */
static u32 *grid;   /* How many triangles cover each sample of a texture. */
static double *densities, *areas; /* By triangle that has both. */
static u32 density_count;

EXPORT(points) float *points_pointer(void) { return points; }
EXPORT(triangles) u32 *triangles_pointer(void) { return triangles; }
EXPORT(labels) u32 *labels_pointer(void) { return labels; }
EXPORT(firsts) u32 *firsts_pointer(void) { return firsts; }
EXPORT(grid) u32 *grid_pointer(void) { return grid; }
EXPORT(densities) double *densities_pointer(void) { return densities; }
EXPORT(areas) double *areas_pointer(void) { return areas; }

/* Makes room; the caller then fills points and triangles, whose indices are below `vertices`, and
 * coordinates where textures are measured. What was before is gone. */
EXPORT(create) void create(u32 vertices, u32 faces_total, u32 secret) {
  if (vertices > 0x3ffffffu || faces_total > 0x3ffffffu) __builtin_trap();
  release_all();
  seed = secret;
  vertex_count = vertices;
  triangle_count = faces_total;
  points = take(vertices * 12u);
  triangles = take_words(faces_total * 3u);
  labels = take_words(vertices);
  firsts = take_words(vertices);
  coordinates = 0;
  grid = 0;
  densities = areas = 0;
  density_count = 0;
}

/* ---- Places ---- */

static u64 mixed(u64 h) {
  h *= 0x9e3779b97f4a7c15ull;
  return h ^ h >> 32;
}

static u64 hash_of(const float *p) {
  return mixed(mixed(mixed(seed ^ float_bits(p[0])) ^ float_bits(p[1])) ^ float_bits(p[2]));
}

static int is_same(const float *p, const float *q) {
  return float_bits(p[0]) == float_bits(q[0]) && float_bits(p[1]) == float_bits(q[1]) &&
         float_bits(p[2]) == float_bits(q[2]);
}

/* Labels the vertices; returns how many places there are. */
EXPORT(weld) u32 weld(void) {
  u32 held = heap, size = 16;
  while (size < vertex_count + vertex_count / 2u) size *= 2u;
  u32 *table = take_words(size); /* The first vertex of a place. */
  for (u32 i = 0; i < size; i++) table[i] = NONE;
  place_count = 0;
  for (u32 v = 0; v < vertex_count; v++) {
    float *p = points + 3u * v;
    for (u32 k = 0; k < 3u; k++) p[k] += 0.0f; /* -0 is 0. */
    u32 h = (u32)hash_of(p) & (size - 1u);
    while (table[h] != NONE && !is_same(points + 3u * table[h], p)) h = (h + 1u) & (size - 1u);
    if (table[h] == NONE) {
      table[h] = v;
      firsts[place_count] = v;
      labels[v] = place_count++;
    } else {
      labels[v] = labels[table[h]];
    }
  }
  heap = held;
  return place_count;
}

/* ---- Topology ---- */

static u32 flat_count, component_count, duplicate_count;
static u32 once_count, twice_count, often_count, unlike_count; /* Edges. */
static double total_area, signed_volume;

EXPORT(degenerate_faces) u32 get_degenerate(void) { return flat_count; }
EXPORT(components) u32 get_components(void) { return component_count; }
EXPORT(duplicate_faces) u32 get_duplicates(void) { return duplicate_count; }
EXPORT(edges_of_one) u32 get_once(void) { return once_count; }
EXPORT(edges_of_two) u32 get_twice(void) { return twice_count; }
EXPORT(edges_of_more) u32 get_often(void) { return often_count; }
EXPORT(edges_unlike) u32 get_unlike(void) { return unlike_count; }
EXPORT(area) double get_area(void) { return total_area; }
EXPORT(volume) double get_volume(void) { return signed_volume; }

typedef struct { double x, y, z; } Vector;

static Vector at(u32 v) { return (Vector){points[3u * v], points[3u * v + 1u], points[3u * v + 2u]}; }
static Vector minus(Vector a, Vector b) { return (Vector){a.x - b.x, a.y - b.y, a.z - b.z}; }
static double dot(Vector a, Vector b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static Vector cross(Vector a, Vector b) {
  return (Vector){a.y * b.z - b.y * a.z, b.x * a.z - a.x * b.z, a.x * b.y - b.x * a.y};
}

static u32 root(u32 *parents, u32 p) {
  while (parents[p] != p) { parents[p] = parents[parents[p]]; p = parents[p]; }
  return p;
}

/* Joins a and b; returns how many parts that makes fewer. */
static u32 join(u32 *parents, u32 a, u32 b) {
  a = root(parents, a); b = root(parents, b);
  if (a == b) return 0;
  if (a < b) parents[b] = a; else parents[a] = b;
  return 1;
}

/* Adds up areas and volumes below triangles, keeps the triangles of three different places, and
 * counts the parts that these make. A sliver of three places still holds its neighbours together;
 * one of two places does not. Returns how many it keeps. */
static u32 study_faces(void) {
  u32 held = heap, sound = 0, *parents = take_words(place_count);
  for (u32 p = 0; p < place_count; p++) parents[p] = NONE;
  flat_count = component_count = 0;
  total_area = signed_volume = 0.0;
  for (u32 t = 0; t < triangle_count; t++) {
    u32 *corner = triangles + 3u * t, place[3];
    for (u32 k = 0; k < 3u; k++) place[k] = labels[corner[k]];
    if (place[0] == place[1] || place[1] == place[2] || place[2] == place[0]) { flat_count++; continue; }
    Vector a = at(corner[0]), n = cross(minus(at(corner[1]), a), minus(at(corner[2]), a));
    double doubled = __builtin_sqrt(dot(n, n));
    if (!(doubled > 0.0)) flat_count++;
    total_area += doubled;
    signed_volume += dot(a, n);
    for (u32 k = 0; k < 3u; k++) {
      faces[3u * sound + k] = place[k];
      if (parents[place[k]] == NONE) { parents[place[k]] = place[k]; component_count++; }
    }
    component_count -= join(parents, place[0], place[1]) + join(parents, place[0], place[2]);
    sound++;
  }
  total_area /= 2.0;
  signed_volume /= 6.0;
  heap = held;
  return sound;
}

static u32 lesser(u32 a, u32 b) { return a < b ? a : b; }

/* Lists the edge from a to b at its lower place: the higher one, and which way it runs. */
static void list_edge(u32 *starts, u32 *ends, u32 a, u32 b) {
  ends[--starts[lesser(a, b)]] = a < b ? b << 1 | 1u : a << 1;
}

/* Counts edges by how many faces they have. The faces of an edge are counted at its higher place
 * while the list of its lower one is gone through; without branches, since nothing foretells them. */
static void count_edges(u32 sound) {
  u32 held = heap, *starts = take_words(place_count + 1u), *ends = take_words(3u * sound);
  u32 *sides = take_words(place_count), *upward = take_words(place_count);
  clear(starts, place_count + 1u);
  clear(sides, place_count);
  clear(upward, place_count);
  for (u32 *f = faces; f < faces + 3u * sound; f += 3) {
    starts[lesser(f[0], f[1])]++; starts[lesser(f[1], f[2])]++; starts[lesser(f[2], f[0])]++;
  }
  for (u32 p = 0, total = 0; p <= place_count; p++) { total += starts[p]; starts[p] = total; }
  for (u32 *f = faces; f < faces + 3u * sound; f += 3) {
    list_edge(starts, ends, f[0], f[1]); list_edge(starts, ends, f[1], f[2]); list_edge(starts, ends, f[2], f[0]);
  }
  once_count = twice_count = often_count = unlike_count = 0;
  for (u32 p = 0; p < place_count; p++) {
    for (u32 i = starts[p]; i < starts[p + 1u]; i++) {
      u32 q = ends[i] >> 1, known = sides[q]++, was_up = upward[q], is_up = was_up + (ends[i] & 1u);
      upward[q] = is_up;
      once_count += (u32)(known == 0u) - (u32)(known == 1u);
      twice_count += (u32)(known == 1u) - (u32)(known == 2u);
      often_count += known == 2u;
      unlike_count += (u32)(known == 1u && is_up != 1u) - (u32)(known == 2u && was_up != 1u);
    }
    for (u32 i = starts[p]; i < starts[p + 1u]; i++) sides[ends[i] >> 1] = upward[ends[i] >> 1] = 0;
  }
  heap = held;
}

static void sift(u64 *keys, u32 from, u32 count) {
  u64 key = keys[from];
  for (u32 child; (child = 2u * from + 1u) < count; from = child) {
    if (child + 1u < count && keys[child + 1u] > keys[child]) child++;
    if (keys[child] <= key) break;
    keys[from] = keys[child];
  }
  keys[from] = key;
}

static void sort(u64 *keys, u32 count) {
  for (u32 i = count / 2u; i--;) sift(keys, i, count);
  while (count > 1u) {
    u64 most = keys[0];
    keys[0] = keys[--count];
    keys[count] = most;
    sift(keys, 0, count);
  }
}

/* Counts the keys that are there already. */
static u32 count_repeated(u64 *keys, u32 count) {
  u32 repeated = 0;
  if (count <= FEW) {
    for (u32 i = 1; i < count; i++) {
      u32 found = 0;
      for (u32 j = 0; j < i; j++) found |= keys[i] == keys[j];
      repeated += found;
    }
    return repeated;
  }
  sort(keys, count);
  for (u32 i = 1; i < count; i++) repeated += keys[i] == keys[i - 1u];
  return repeated;
}

/* Counts the faces on three places that have one already: each is listed at its lowest place. */
static void count_duplicates(u32 sound) {
  u32 held = heap, *starts = take_words(place_count + 1u);
  u64 *others = take(sound * 8u);
  clear(starts, place_count + 1u);
  for (u32 *f = faces; f < faces + 3u * sound; f += 3) starts[lesser(lesser(f[0], f[1]), f[2])]++;
  for (u32 p = 0, total = 0; p <= place_count; p++) { total += starts[p]; starts[p] = total; }
  for (u32 *f = faces; f < faces + 3u * sound; f += 3) {
    u32 low = lesser(f[0], f[1]), high = f[0] ^ f[1] ^ low;
    u32 least = lesser(low, f[2]), rest = low ^ f[2] ^ least, middle = lesser(high, rest);
    others[--starts[least]] = (u64)middle << 32 | (high ^ rest ^ middle);
  }
  duplicate_count = 0;
  for (u32 p = 0; p < place_count; p++)
    duplicate_count += count_repeated(others + starts[p], starts[p + 1u] - starts[p]);
  heap = held;
}

/* Measures how the welded triangles hang together. */
EXPORT(study_topology) void study_topology(void) {
  u32 held = heap, sound;
  faces = take_words(triangle_count * 3u);
  sound = study_faces();
  count_edges(sound);
  count_duplicates(sound);
  heap = held;
}

/* ---- Texture coordinates ---- */

EXPORT(coordinates) float *coordinates_pointer(void) {
  if (!coordinates) coordinates = take(vertex_count * 8u);
  return coordinates;
}

#define GRID 512u         /* Samples along each side of a texture. */
#define SIDE (2u * GRID)  /* A triangle over the border is drawn once, with its low corner inside. */

static u32 tries; /* How many more samples may be tried. */
static u32 reaching_count;

EXPORT(reaching) u32 get_reaching(void) { return reaching_count; }

/* Begins a texture on which no triangle lies yet. */
EXPORT(begin_texture) void begin_texture(u32 max_tries) {
  if (!grid) grid = take_words(SIDE * SIDE);
  clear(grid, SIDE * SIDE);
  tries = max_tries;
  reaching_count = 0;
}

static Point on_texture(u32 v) { return (Point){coordinates[2u * v], coordinates[2u * v + 1u]}; }
static Point both(double value) { return (Point){value, value}; }
static Point least_of(Point a, Point b, Point c) {
  return __builtin_wasm_pmin_f64x2(__builtin_wasm_pmin_f64x2(a, b), c);
}
static Point most_of(Point a, Point b, Point c) {
  return __builtin_wasm_pmax_f64x2(__builtin_wasm_pmax_f64x2(a, b), c);
}

/* Of two triangles that share an edge, one sees it going up and one going down: the samples on it
 * belong to one of the two. */
typedef struct { Point from, along; int owns; } Edge;

static Edge edge_of(Point from, Point to, double turn) {
  Point along = (to - from) * both(turn);
  return (Edge){from, along, along[1] > 0.0 || (along[1] == 0.0 && along[0] < 0.0)};
}

static int is_inside(const Edge *e, Point sample) {
  Point offset = sample - e->from;
  double value = e->along[0] * offset[1] - e->along[1] * offset[0];
  return value > 0.0 || (value == 0.0 && e->owns);
}

static int is_outside(Point low, Point high) {
  return low[0] < 0.0 || low[1] < 0.0 || high[0] > 1.0 || high[1] > 1.0;
}

/* Lays triangles on the texture; each counts `times` wherever it covers a sample, and where it
 * reaches outside of 0 to 1. Whole turns of a coordinate do not matter. Returns 0 where more samples
 * would have to be tried than are allowed. */
EXPORT(cover) u32 cover(u32 start, u32 end, u32 times) {
  if (start > end || end > triangle_count) __builtin_trap();
  for (u32 t = start; t < end; t++) {
    Point a = on_texture(triangles[3u * t]), b = on_texture(triangles[3u * t + 1u]),
          c = on_texture(triangles[3u * t + 2u]);
    Point low = least_of(a, b, c), high = most_of(a, b, c);
    if (is_outside(low, high)) reaching_count += times;
    Point turns = __builtin_wasm_floor_f64x2(low + both(1e-9)), scale = both(GRID), half = both(0.5);
    /* The samples whose centres lie between the two, cut off at the grid's ends. */
    low = __builtin_wasm_ceil_f64x2((low - turns) * scale - half);
    high = __builtin_wasm_floor_f64x2((high - turns) * scale - half);
    low = __builtin_wasm_pmax_f64x2(low, both(0.0));
    high = __builtin_wasm_pmin_f64x2(high, both(SIDE - 1.0));
    if (!(high[0] >= low[0] && high[1] >= low[1])) continue; /* None, or beyond all numbers. */
    a = (a - turns) * scale; b = (b - turns) * scale; c = (c - turns) * scale;
    Point ab = b - a, ac = c - a;
    double area = ab[0] * ac[1] - ab[1] * ac[0];
    if (area == 0.0) continue;
    u32 left = (u32)low[0], right = (u32)high[0], top = (u32)low[1], bottom = (u32)high[1];
    u32 tried = (right - left + 1u) * (bottom - top + 1u); /* At most the grid. */
    if (tried > tries) return 0;
    tries -= tried;
    double turn = area > 0.0 ? 1.0 : -1.0;
    Edge edges[3] = {edge_of(a, b, turn), edge_of(b, c, turn), edge_of(c, a, turn)};
    for (u32 row = top; row <= bottom; row++)
      for (u32 column = left; column <= right; column++) {
        Point sample = (Point){column, row} + half;
        if (is_inside(edges, sample) && is_inside(edges + 1, sample) && is_inside(edges + 2, sample))
          grid[row * SIDE + column] += times;
      }
  }
  return 1;
}

/* Folds the grid's quarters onto the first, which is then in order: GRID x GRID. */
EXPORT(fold) void fold(void) {
  for (u32 row = 0; row < GRID; row++)
    for (u32 column = 0; column < GRID; column++) {
      u32 *here = grid + row * SIDE + column, *below = here + GRID * SIDE;
      grid[row * GRID + column] = here[0] + here[GRID] + below[0] + below[GRID];
    }
}

/* Notes, of each triangle that has an area on the surface and on a texture, its area on the surface
 * and how many pixels lie along a unit of length there. Returns how many are noted in all. */
EXPORT(note_densities) u32 note_densities(u32 start, u32 end, double pixels) {
  if (start > end || end > triangle_count) __builtin_trap();
  if (!densities) {
    densities = take(triangle_count * 8u);
    areas = take(triangle_count * 8u);
  }
  for (u32 t = start; t < end && density_count < triangle_count; t++) {
    u32 i = triangles[3u * t], j = triangles[3u * t + 1u], k = triangles[3u * t + 2u];
    Vector corner = at(i), n = cross(minus(at(j), corner), minus(at(k), corner));
    Point a = on_texture(i), b = on_texture(j), c = on_texture(k);
    double area = __builtin_sqrt(dot(n, n)) / 2.0;
    Point ab = b - a, ac = c - a;
    double covered = ab[0] * ac[1] - ab[1] * ac[0];
    covered = __builtin_fabs(covered) / 2.0 * pixels;
    if (!(area > 0.0 && covered > 0.0)) continue;
    densities[density_count] = __builtin_sqrt(covered / area);
    areas[density_count++] = area;
  }
  return density_count;
}
