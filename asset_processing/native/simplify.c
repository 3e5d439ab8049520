/* A mesh simplifier: half-edge collapses ordered by quadric errors over positions and attributes.
 *
 * Sources: Garland and Heckbert, "Surface Simplification Using Quadric Error Metrics" (1997), for
 * the quadrics; Hoppe, "New Quadric Metric for Simplifying Meshes with Appearance Attributes"
 * (1999), for the attributes and the wedges; Dey, Edelsbrunner, Guha and Nekhayev, "Topology
 * Preserving Edge Contraction" (1999), for the link condition.
 *
 * A "place" is a distinct position, a "wedge" a vertex of the file: one place has a wedge for each
 * side of a seam. A collapse moves place p onto its neighbour q. Every wedge of p must become a
 * wedge of q that continues the same chart; a seam is so never torn, and only runs shorter. Where
 * a small chart vanishes the seam around it heals, because wedges are matched anew in every pass.
 *
 * Each wedge has one quadric in a frame of its own: positions relative to its place, attributes
 * relative to its attributes. For a displacement y and attribute differences r it is
 *
 *     Q(y, r) = y'Ay + 2b'y + c + W r'r - 2 sum_k r_k (g_k'y + d_k)
 *
 * where W is area, and g_k and d_k accumulate the gradient and value of attribute k. Small numbers
 * in local frames are what lets float32 carry attribute weights of 100 and more.
 *
 * Freestanding. Memory is never returned; an instance serves one mesh. The same input gives the same
 * output on every platform.
 */

#include "memory.h"

typedef float v4 __attribute__((vector_size(16)));

#define MAX_ATTRIBUTES 24
#define MAX_WEDGES 24     /* At one place; busier places stay. */
#define MAX_PASSES 64     /* In one stage. */
#define MAX_VALENCE 384   /* Triangles at p and q together; above that the pair is left alone. */

/* Weights, tuned on generated characters with a clean and a fragmented atlas (benchmarks/). */
static float border_weight = 10.0f;
static float seam_weight = 1.0f;
static float flip_limit = 0.2f;      /* Cosine between a triangle's normals before and after. */
static float pass_share = 0.5f;      /* Share of the wanted collapses that one pass aims at. */
static float error_slack = 3.0f;     /* How far above that error a pass may go. */
static float anchor_weight = 1e-3f;  /* Keeps flat places where they are. */
static float carry_penalty = 4.0f;   /* For a wedge that leaves its chart's border behind. */
static float stage_share = 0.35f;    /* What one stage keeps. */

EXPORT(tune) void tune(u32 which, float value) {
  float *knobs[] = {&border_weight, &seam_weight, &flip_limit, &pass_share,
                    &error_slack, &anchor_weight, &carry_penalty, &stage_share};
  if (which < 8) *knobs[which] = value;
}

/* ---- The mesh ---- */

static u32 vertex_count;   /* Wedges. */
static u32 place_count;
static u32 triangle_count;
static u32 attribute_count, attribute_stride; /* The stride in floats, a multiple of four. */
static u32 uv_offset;                         /* The attribute that is u; NONE without UVs. */
static u32 quadric_stride;

static v4 *places;
static float *attributes;
static u32 *place_of; /* By wedge. */
static u32 *source;   /* By wedge: the vertex of the file that it is. */
static u32 *triangles;
static u32 *corners;  /* By corner of a triangle: its place, so that a sweep need not look it up. */

/* Scratch, allocated once for the mesh as it came in. */
static float *quadrics;
static u32 *chart;
static u32 *tri_start, *tri_list;     /* Triangles by place. */
static u32 *wedge_start, *wedge_list; /* Living wedges by place. */
static u32 *place_map, *wedge_map;    /* New numbers, while they are given out. */
static u32 *mark, *wedge_mark;
static u32 *edge_out, *edge_in;
static u8 *flags, *busy, *touched;
static u8 *pins;  /* By vertex of the file: whether its place must stay. */
static u32 *order, *histogram;
static u32 stamp;
typedef struct { u32 from, to; float error; } Collapse;
static Collapse *candidates;
static u32 candidate_count;

enum { BORDER = 1, LOCKED = 2, PINNED = 4 };

static float *input_positions;

EXPORT(positions) float *positions_pointer(void) { return input_positions; }
EXPORT(attributes) float *attributes_pointer(void) { return attributes; }
EXPORT(triangles) u32 *triangles_pointer(void) { return triangles; }
EXPORT(pins) u8 *pins_pointer(void) { return pins; }
EXPORT(source) u32 *source_pointer(void) { return source; }
EXPORT(vertex_count) u32 get_vertex_count(void) { return vertex_count; }
EXPORT(triangle_count) u32 get_triangle_count(void) { return triangle_count; }
EXPORT(attribute_stride) u32 get_attribute_stride(void) { return attribute_stride; }

/* Makes room. The caller then fills positions (3 floats each, in a box of about unit size),
 * attributes (attribute_stride floats each, weighted, zero-padded), triangles and pins (0 or 1). */
EXPORT(create) void create(u32 vertices, u32 faces, u32 attribute_total, u32 uv) {
  if (attribute_total > MAX_ATTRIBUTES || vertices > 0x3ffffffu || faces > 0x3ffffffu)
    __builtin_trap();
  vertex_count = vertices;
  triangle_count = faces;
  attribute_count = attribute_total;
  attribute_stride = (attribute_total + 3u) & ~3u;
  uv_offset = uv;
  quadric_stride = 12u + 4u * attribute_total;
  input_positions = take(vertices * 12u);
  attributes = take(vertices * attribute_stride * 4u + 16u);
  triangles = take_words(faces * 3u);
  pins = take(vertices);
  for (u32 v = 0; v < vertices; v++) pins[v] = 0;
}

static v4 sub(v4 a, v4 b) { return a - b; }
static float dot3(v4 a, v4 b) { v4 m = a * b; return m[0] + m[1] + m[2]; }
static float sum4(v4 a) { return (a[0] + a[1]) + (a[2] + a[3]); }
static v4 cross(v4 a, v4 b) {
  v4 a1 = __builtin_shufflevector(a, a, 1, 2, 0, 3), b1 = __builtin_shufflevector(b, b, 1, 2, 0, 3);
  v4 c = a * b1 - a1 * b;
  return __builtin_shufflevector(c, c, 1, 2, 0, 3);
}
static v4 splat(float f) { return (v4){f, f, f, f}; }

static void find_places(void) {
  u32 size = 16;
  while (size < vertex_count * 2u) size *= 2u;
  u32 *table = edge_out; /* Borrowed: it has room for this. */
  for (u32 i = 0; i < size; i++) table[i] = NONE;
  place_count = 0;
  for (u32 v = 0; v < vertex_count; v++) {
    float *p = input_positions + 3u * v;
    u32 x = float_bits(p[0] + 0.0f), y = float_bits(p[1] + 0.0f), z = float_bits(p[2] + 0.0f);
    u32 h = x * 0x9e3779b1u ^ y * 0x85ebca77u ^ z * 0xc2b2ae3du;
    h ^= h >> 15; h *= 0x2c1b3c6du; h ^= h >> 13;
    for (h &= size - 1u;; h = (h + 1u) & (size - 1u)) {
      if (table[h] == NONE) {
        table[h] = place_count;
        places[place_count++] = (v4){p[0] + 0.0f, p[1] + 0.0f, p[2] + 0.0f, 0.0f};
        break;
      }
      v4 at = places[table[h]];
      if (at[0] == p[0] && at[1] == p[1] && at[2] == p[2]) break;
    }
    place_of[v] = table[h];
    source[v] = v;
  }
}

static u32 lowest(const u32 *place) {
  u32 low = place[0] < place[1] ? place[0] : place[1];
  return low < place[2] ? low : place[2];
}

static void find_corners(void) {
  for (u32 i = 0; i < 3u * triangle_count; i++) corners[i] = place_of[triangles[i]];
}

/* Takes out triangles that have two corners in one place. */
static void drop_collapsed(void) {
  u32 kept = 0;
  for (u32 i = 0; i < 3u * triangle_count; i += 3u) {
    u32 a = corners[i], b = corners[i + 1u], c = corners[i + 2u];
    if (a == b || b == c || a == c) continue;
    corners[kept] = a; corners[kept + 1u] = b; corners[kept + 2u] = c;
    for (u32 k = 0; k < 3u; k++) triangles[kept + k] = triangles[i + k];
    kept += 3u;
  }
  triangle_count = kept / 3u;
}

/* Renumbers wedges and places so that only those in use remain, in their order. */
static void compact(void) {
  clear(wedge_mark, vertex_count);
  clear(mark, place_count);
  for (u32 i = 0; i < 3u * triangle_count; i++) {
    wedge_mark[triangles[i]] = 1;
    mark[corners[i]] = 1;
  }
  u32 kept = 0;
  for (u32 p = 0; p < place_count; p++)
    if (mark[p]) { places[kept] = places[p]; place_map[p] = kept++; }
  place_count = kept;
  kept = 0;
  for (u32 v = 0; v < vertex_count; v++) {
    if (!wedge_mark[v]) continue;
    place_of[kept] = place_map[place_of[v]];
    source[kept] = source[v];
    for (u32 k = 0; k < attribute_stride; k++)
      attributes[kept * attribute_stride + k] = attributes[v * attribute_stride + k];
    wedge_map[v] = kept++;
  }
  vertex_count = kept;
  for (u32 i = 0; i < 3u * triangle_count; i++) triangles[i] = wedge_map[triangles[i]];
  find_corners();
}

/* ---- Order: what is near in space comes to lie near in memory ---- */

#define CODE_BITS 15u /* In each of two rounds. */

/* Every third bit of the result is one of the ten of x. */
static u32 spread(u32 x) {
  x = (x | x << 16) & 0x030000ffu;
  x = (x | x << 8) & 0x0300f00fu;
  x = (x | x << 4) & 0x030c30c3u;
  return (x | x << 2) & 0x09249249u;
}

static u32 morton(v4 center) {
  u32 code = 0;
  for (u32 k = 0; k < 3u; k++) {
    float cell = (center[k] + 1.0f) * 512.0f;
    u32 bits = cell > 0.0f ? cell < 1023.0f ? (u32)cell : 1023u : 0u;
    code |= spread(bits) << k;
  }
  return code;
}

/* Lists 0 to n - 1 by rising codes of 30 bits, equal ones in their order. */
static void sort_by_code(u32 n, const u32 *codes, u32 *other, u32 *sorted) {
  for (u32 round = 0; round < 2u; round++) {
    u32 shift = CODE_BITS * round, mask = (1u << CODE_BITS) - 1u, *to = round ? sorted : other;
    clear(histogram, 1u << CODE_BITS);
    for (u32 i = 0; i < n; i++) histogram[codes[i] >> shift & mask]++;
    for (u32 i = 0, total = 0; i <= mask; i++) { u32 held = histogram[i]; histogram[i] = total; total += held; }
    for (u32 i = 0; i < n; i++) {
      u32 item = round ? other[i] : i;
      to[histogram[codes[item] >> shift & mask]++] = item;
    }
  }
}

/* Turns counts, of which there are n, into where each one's items begin in a list of all. */
static void begin_lists(u32 *counts, u32 n) {
  for (u32 i = 0, total = 0; i < n; i++) { u32 held = counts[i]; counts[i] = total; total += held; }
}

/* Numbers places along a curve through space, wedges by their place and triangles by their lowest
 * place. Neighbours then share lines of the cache: a fifth to a quarter less time for all that follows. */
static void order_along_curve(void) {
  float *looks = take(vertex_count * attribute_stride * 4u + 16u);
  u32 held = heap, *codes = take_words(place_count), *other = take_words(place_count);
  u32 *sorted = take_words(place_count), *moved = take_words(3u * triangle_count);
  v4 *lain = take(place_count * 16u);
  for (u32 p = 0; p < place_count; p++) codes[p] = morton(places[p]);
  sort_by_code(place_count, codes, other, sorted);
  for (u32 p = 0; p < place_count; p++) { place_map[sorted[p]] = p; lain[p] = places[sorted[p]]; }
  for (u32 p = 0; p < place_count; p++) places[p] = lain[p];
  clear(wedge_start, place_count);
  for (u32 v = 0; v < vertex_count; v++) wedge_start[place_map[place_of[v]]]++;
  begin_lists(wedge_start, place_count);
  for (u32 v = 0; v < vertex_count; v++) {
    u32 p = place_map[place_of[v]], w = wedge_start[p]++;
    wedge_map[v] = w;
    source[w] = v;
    chart[w] = p; /* Borrowed. */
    for (u32 k = 0; k < attribute_stride; k++)
      looks[w * attribute_stride + k] = attributes[v * attribute_stride + k];
  }
  attributes = looks;
  for (u32 v = 0; v < vertex_count; v++) place_of[v] = chart[v];
  clear(tri_start, place_count);
  for (u32 i = 0; i < 3u * triangle_count; i++) { triangles[i] = wedge_map[triangles[i]]; corners[i] = place_of[triangles[i]]; }
  for (u32 i = 0; i < 3u * triangle_count; i += 3u) tri_start[lowest(corners + i)]++;
  begin_lists(tri_start, place_count);
  for (u32 i = 0; i < 3u * triangle_count; i += 3u) {
    u32 to = 3u * tri_start[lowest(corners + i)]++;
    for (u32 k = 0; k < 3u; k++) moved[to + k] = triangles[i + k];
  }
  for (u32 i = 0; i < 3u * triangle_count; i++) triangles[i] = moved[i];
  heap = held;
}

EXPORT(prepare) void prepare(void) {
  u32 v = vertex_count, f = triangle_count, table = 16;
  while (table < v * 2u) table *= 2u;
  for (u32 i = 0; i < 3u * f; i++)
    if (triangles[i] >= v) __builtin_trap();
  places = take(v * 16u);
  place_of = take_words(v);
  corners = take_words(3u * f);
  source = take_words(v);
  edge_out = take_words(table > 3u * f ? table : 3u * f);
  mark = take_words(v);
  wedge_mark = take_words(v);
  place_map = take_words(v);
  wedge_map = take_words(v);
  chart = take_words(v);
  tri_start = take_words(v + 1u);
  wedge_start = take_words(v + 1u);
  tri_list = take_words(3u * f);
  wedge_list = take_words(v);
  edge_in = take_words(v);
  flags = take(v);
  busy = take(v);
  touched = take(v);
  histogram = take_words(65536u);
  candidates = take(3u * f * sizeof(Collapse));
  order = take_words(3u * f);
  find_places();
  order_along_curve();
  find_corners();
  drop_collapsed();
  compact();
  quadrics = take(vertex_count * quadric_stride * 4u);
}

/* ---- Neighbourhoods ---- */

static u32 next_corner(u32 corner) { return corner == 2u ? 0u : corner + 1u; }
static u32 last_corner(u32 corner) { return corner == 0u ? 2u : corner - 1u; }

/* Which corner of a triangle that has p it is. */
static u32 which_is(const u32 *place, u32 p) { return place[0] == p ? 0u : place[1] == p ? 1u : 2u; }

static void list_triangles(void) {
  clear(tri_start, place_count + 1u);
  for (u32 i = 0; i < 3u * triangle_count; i++) tri_start[corners[i] + 1u]++;
  for (u32 p = 0; p < place_count; p++) tri_start[p + 1u] += tri_start[p];
  for (u32 p = 0; p < place_count; p++) mark[p] = tri_start[p];
  for (u32 i = 0; i < 3u * triangle_count; i++) tri_list[mark[corners[i]]++] = i / 3u;
  clear(mark, place_count);
}

static void list_wedges(void) {
  clear(wedge_mark, vertex_count);
  for (u32 i = 0; i < 3u * triangle_count; i++) wedge_mark[triangles[i]] = 1;
  clear(wedge_start, place_count + 1u);
  for (u32 v = 0; v < vertex_count; v++)
    if (wedge_mark[v]) wedge_start[place_of[v] + 1u]++;
  for (u32 p = 0; p < place_count; p++) wedge_start[p + 1u] += wedge_start[p];
  for (u32 p = 0; p < place_count; p++) mark[p] = wedge_start[p];
  for (u32 v = 0; v < vertex_count; v++)
    if (wedge_mark[v]) wedge_list[mark[place_of[v]]++] = v;
  clear(mark, place_count);
  clear(wedge_mark, vertex_count);
  stamp = 0;
}

static u32 root(u32 v) {
  while (chart[v] != v) { chart[v] = chart[chart[v]]; v = chart[v]; }
  return v;
}

static void join(u32 a, u32 b) {
  a = root(a); b = root(b);
  if (a < b) chart[b] = a; else chart[a] = b;
}

static void find_charts(void) {
  for (u32 v = 0; v < vertex_count; v++) chart[v] = v;
  for (u32 t = 0; t < triangle_count; t++) {
    join(triangles[3*t], triangles[3*t+1]);
    join(triangles[3*t], triangles[3*t+2]);
  }
  for (u32 v = 0; v < vertex_count; v++) chart[v] = root(v);
}

/* ---- Quadrics: a00 a11 a22 W | a10 a20 a21 c | b0 b1 b2 0 | (gx gy gz d) per attribute ---- */

static void add_plane(float *q, v4 n, float weight) {
  v4 *h = (v4 *)q;
  v4 w = splat(weight);
  v4 squares = n * n, mixed = {n[1] * n[0], n[2] * n[0], n[2] * n[1], 0.0f};
  squares[3] = 0.0f;
  h[0] += w * squares;
  h[1] += w * mixed;
}

static v4 apply(const v4 *h, v4 y) { /* A y */
  v4 diagonal = h[0], mixed = h[1];
  return (v4){diagonal[0] * y[0] + mixed[0] * y[1] + mixed[1] * y[2],
              mixed[0] * y[0] + diagonal[1] * y[1] + mixed[2] * y[2],
              mixed[1] * y[0] + mixed[2] * y[1] + diagonal[2] * y[2], 0.0f};
}

/* The error of wedge w once it lies where wedge v lies and looks as v looks. */
static float error_at(u32 w, u32 v, v4 y) {
  const v4 *h = (const v4 *)(quadrics + w * quadric_stride);
  const float *sw = attributes + w * attribute_stride, *sv = attributes + v * attribute_stride;
  v4 squares = y * y;
  v4 turned = __builtin_shufflevector(y, y, 1, 2, 2, 3), turner = __builtin_shufflevector(y, y, 0, 0, 1, 3);
  v4 y1 = y; y1[3] = 1.0f;
  v4 mix = turned * turner;
  mix[3] = 0.5f;
  squares[3] = 0.0f;
  v4 gathered = squares * h[0] + (mix * h[1] + y * h[2]) * splat(2.0f); /* c comes with 0.5 * 2. */
  v4 slope = splat(0.0f);
  float length = 0.0f;
  for (u32 k = 0; k < attribute_count; k++) {
    float r = sv[k] - sw[k];
    slope += splat(r) * h[3 + k];
    length += r * r;
  }
  gathered -= slope * y1 * splat(2.0f);
  float error = sum4(gathered) + h[0][3] * length;
  return error > 0.0f ? error : 0.0f;
}

/* What `error_at` gives for w at v and for v at w, where y leads from w to v; most of it is the same. */
static void error_both(u32 w, u32 v, v4 y, float *there, float *back) {
  const v4 *h = (const v4 *)(quadrics + w * quadric_stride), *g = (const v4 *)(quadrics + v * quadric_stride);
  const float *sw = attributes + w * attribute_stride, *sv = attributes + v * attribute_stride;
  v4 squares = y * y;
  v4 turned = __builtin_shufflevector(y, y, 1, 2, 2, 3), turner = __builtin_shufflevector(y, y, 0, 0, 1, 3);
  v4 y1 = y; y1[3] = 1.0f;
  v4 mix = turned * turner;
  mix[3] = 0.5f;
  squares[3] = 0.0f;
  v4 slope_w = splat(0.0f), slope_v = slope_w;
  float length = 0.0f;
  for (u32 k = 0; k < attribute_count; k++) {
    float r = sv[k] - sw[k];
    slope_w += splat(r) * h[3 + k];
    slope_v += splat(r) * g[3 + k];
    length += r * r;
  }
  v4 flat = y1; flat[3] = -1.0f;
  v4 of_w = squares * h[0] + (mix * h[1] + y * h[2] - slope_w * y1) * splat(2.0f);
  v4 of_v = squares * g[0] + (mix * g[1] - y * g[2] - slope_v * flat) * splat(2.0f);
  float error_w = sum4(of_w) + h[0][3] * length, error_v = sum4(of_v) + g[0][3] * length;
  *there = error_w > 0.0f ? error_w : 0.0f;
  *back = error_v > 0.0f ? error_v : 0.0f;
}

/* Adds the quadric of w, seen from where v lies and how v looks, to that of v. */
static void merge(u32 w, u32 v, v4 y) {
  v4 *from = (v4 *)(quadrics + w * quadric_stride), *to = (v4 *)(quadrics + v * quadric_stride);
  const float *sw = attributes + w * attribute_stride, *sv = attributes + v * attribute_stride;
  float error = error_at(w, v, y), area = from[0][3];
  v4 y1 = y; y1[3] = 1.0f;
  v4 b = from[2] + apply(from, y);
  for (u32 k = 0; k < attribute_count; k++) {
    float r = sv[k] - sw[k];
    v4 g = from[3 + k];
    b -= splat(r) * g;
    float value = sum4(g * y1) - area * r;
    g[3] = value;
    to[3 + k] += g;
  }
  b[3] = 0.0f;
  v4 mixed = from[1];
  mixed[3] = error;
  to[0] += from[0];
  to[1] += mixed;
  to[2] += b;
}

/* Where a wedge goes that moves by y and stays in its chart alone. */
static void predict(u32 w, v4 y, float *attribute) {
  const v4 *h = (const v4 *)(quadrics + w * quadric_stride);
  float area = h[0][3];
  v4 y1 = y; y1[3] = 1.0f;
  for (u32 k = 0; k < attribute_count; k++)
    attribute[k] = attributes[w * attribute_stride + k] + (area > 0.0f ? sum4(h[3 + k] * y1) / area : 0.0f);
}

static float error_alone(u32 w, v4 y) {
  const v4 *h = (const v4 *)(quadrics + w * quadric_stride);
  float area = h[0][3], error = h[1][3] + dot3(y, apply(h, y)) + 2.0f * dot3(h[2], y);
  v4 y1 = y; y1[3] = 1.0f;
  if (area > 0.0f)
    for (u32 k = 0; k < attribute_count; k++) {
      float g = sum4(h[3 + k] * y1);
      error -= g * g / area;
    }
  return error > 0.0f ? error : 0.0f;
}

static void add_edge(u32 a, u32 b, v4 normal, float weight) {
  v4 along = sub(places[place_of[b]], places[place_of[a]]);
  float length = dot3(along, along);
  v4 across = cross(along, normal);
  float size = dot3(across, across);
  if (size <= 0.0f) return;
  across *= splat(1.0f / __builtin_sqrtf(size));
  add_plane(quadrics + a * quadric_stride, across, weight * length);
  add_plane(quadrics + b * quadric_stride, across, weight * length);
}

static void add_triangle(u32 t) {
  u32 *corner = triangles + 3u * t;
  v4 at = places[corners[3u * t]];
  v4 e1 = sub(places[corners[3u * t + 1u]], at), e2 = sub(places[corners[3u * t + 2u]], at);
  v4 n = cross(e1, e2);
  float squared = dot3(n, n);
  if (!(squared > 1e-30f)) return;
  float doubled = __builtin_sqrtf(squared), area = doubled * 0.5f;
  v4 unit = n * splat(1.0f / doubled), inverse = splat(1.0f / squared);
  v4 f1 = cross(e2, n) * inverse, f2 = cross(n, e1) * inverse;
  v4 gradient[MAX_ATTRIBUTES], squares = splat(0.0f), mixed = splat(0.0f);
  const float *s0 = attributes + corner[0] * attribute_stride,
              *s1 = attributes + corner[1] * attribute_stride,
              *s2 = attributes + corner[2] * attribute_stride;
  for (u32 k = 0; k < attribute_count; k++) {
    v4 g = splat(s1[k] - s0[k]) * f1 + splat(s2[k] - s0[k]) * f2;
    g[3] = 0.0f;
    gradient[k] = splat(area) * g;
    squares += g * g;
    mixed += (v4){g[1] * g[0], g[2] * g[0], g[2] * g[1], 0.0f};
  }
  v4 still = splat(anchor_weight);
  squares += unit * unit + still;
  mixed += (v4){unit[1] * unit[0], unit[2] * unit[0], unit[2] * unit[1], 0.0f};
  squares *= splat(area);
  squares[3] = area;
  mixed *= splat(area);
  for (u32 i = 0; i < 3u; i++) {
    v4 *h = (v4 *)(quadrics + corner[i] * quadric_stride);
    h[0] += squares;
    h[1] += mixed;
    for (u32 k = 0; k < attribute_count; k++) h[3 + k] += gradient[k];
  }
}

static v4 normal_of(u32 t) {
  v4 at = places[corners[3u * t]];
  return cross(sub(places[corners[3u * t + 1u]], at), sub(places[corners[3u * t + 2u]], at));
}

/* Marks borders and places where more than two triangles meet at an edge; weighs borders and seams. */
static void study_edges(void) {
  for (u32 p = 0; p < place_count; p++) { flags[p] = 0; mark[p] = 0; edge_in[p] = 0; }
  for (u32 v = 0; v < vertex_count; v++)
    if (pins[source[v]]) flags[place_of[v]] |= PINNED;
  for (u32 p = 0; p < place_count; p++) {
    for (u32 i = tri_start[p]; i < tri_start[p + 1u]; i++) {
      u32 *place = corners + 3u * tri_list[i], at = which_is(place, p);
      u32 next = place[next_corner(at)], last = place[last_corner(at)];
      mark[next]++;
      edge_out[next] = 3u * tri_list[i] + at;
      edge_in[last]++;
    }
    for (u32 i = tri_start[p]; i < tri_start[p + 1u]; i++) {
      u32 t = tri_list[i], *corner = triangles + 3u * t, *place = corners + 3u * t;
      u32 at = which_is(place, p), next = place[next_corner(at)], last = place[last_corner(at)];
      if (mark[next] > 1u || edge_in[next] > 1u) { flags[p] |= LOCKED; flags[next] |= LOCKED; }
      if (mark[last] > 1u || edge_in[last] > 1u) { flags[p] |= LOCKED; flags[last] |= LOCKED; }
      if (!edge_in[next]) {
        flags[p] |= BORDER; flags[next] |= BORDER;
        add_edge(corner[at], corner[next_corner(at)], normal_of(t), border_weight);
      }
      if (!mark[last]) { flags[p] |= BORDER; flags[last] |= BORDER; }
      else {
        u32 other = edge_out[last], *facing = triangles + 3u * (other / 3u);
        u32 there = other % 3u;
        u32 a = corner[last_corner(at)], b = corner[at]; /* The edge last -> p of this triangle. */
        if (facing[there] != b || facing[next_corner(there)] != a) {
          add_edge(a, b, normal_of(t), seam_weight);
          add_edge(facing[there], facing[next_corner(there)], normal_of(other / 3u), seam_weight);
        }
      }
    }
    for (u32 i = tri_start[p]; i < tri_start[p + 1u]; i++) {
      u32 *place = corners + 3u * tri_list[i];
      for (u32 k = 0; k < 3u; k++) { mark[place[k]] = 0; edge_in[place[k]] = 0; }
    }
  }
}

static void weigh(void) {
  u32 size = vertex_count * quadric_stride;
  for (u32 i = 0; i < size; i++) quadrics[i] = 0.0f;
  for (u32 t = 0; t < triangle_count; t++) add_triangle(t);
  list_triangles();
  study_edges();
  find_charts();
}

/* ---- Collapses ---- */

/* How much is given up to meet a goal. Each level includes those below it. */
enum { STRICT, CARRYING, LOOSE, SCATTERED };
static u32 level;

static float cheapest(u32 p, u32 q) {
  if ((flags[p] & (LOCKED | PINNED)) && level < LOOSE) return -1.0f;
  if ((flags[p] & BORDER) && !(flags[q] & BORDER) && level < SCATTERED) return -1.0f;
  v4 y = sub(places[q], places[p]);
  u32 p0 = wedge_start[p], p1 = wedge_start[p + 1u], q0 = wedge_start[q], q1 = wedge_start[q + 1u];
  if (p1 - p0 > MAX_WEDGES || q1 - q0 > MAX_WEDGES) return -1.0f;
  float total = 0.0f;
  for (u32 i = p0; i < p1; i++) {
    u32 w = wedge_list[i];
    float best = -1.0f;
    for (u32 j = q0; j < q1; j++) {
      u32 v = wedge_list[j];
      if (chart[v] != chart[w]) continue;
      float error = error_at(w, v, y);
      if (best < 0.0f || error < best) best = error;
    }
    if (best < 0.0f) {
      if (level < CARRYING) return -1.0f;
      best = carry_penalty * error_alone(w, y);
    }
    total += best;
  }
  return total;
}

/* Lists the edges that may collapse, each the cheaper way. After the first round of a stage only the
 * edges of places that took part in the last one are weighed again: the others are as they were. */
static void collect(int anew) {
  u32 count = 0;
  for (u32 i = 0; i < candidate_count && !anew; i++)
    if (!busy[candidates[i].from] && !busy[candidates[i].to]) candidates[count++] = candidates[i];
  for (u32 i = 0; i < 3u * triangle_count; i++) {
    u32 p = corners[i], q = corners[i % 3u == 2u ? i - 2u : i + 1u];
    if (!anew && !busy[p] && !busy[q]) continue;
    if (p > q && !((flags[p] & BORDER) && (flags[q] & BORDER))) continue;
    float there, back;
    u32 w = wedge_list[wedge_start[p]], v = wedge_list[wedge_start[q]];
    int alone = wedge_start[p] + 1u == wedge_start[p + 1u] && wedge_start[q] + 1u == wedge_start[q + 1u];
    if (alone && !flags[p] && !flags[q] && chart[w] == chart[v])
      error_both(w, v, sub(places[q], places[p]), &there, &back);
    else { there = cheapest(p, q); back = cheapest(q, p); }
    if (there < 0.0f && back < 0.0f) continue;
    Collapse *c = candidates + count++;
    if (back < 0.0f || (there >= 0.0f && there <= back)) *c = (Collapse){p, q, there};
    else *c = (Collapse){q, p, back};
  }
  candidate_count = count;
}

static u32 bucket(float error) { return float_bits(error) >> 15; }

static void sort(u32 count) {
  clear(histogram, 65536u);
  for (u32 i = 0; i < count; i++) histogram[bucket(candidates[i].error)]++;
  u32 total = 0;
  for (u32 i = 0; i < 65536u; i++) { u32 n = histogram[i]; histogram[i] = total; total += n; }
  for (u32 i = 0; i < count; i++) order[histogram[bucket(candidates[i].error)]++] = i;
}

typedef struct { u32 wedge[3], place[3]; } Corners;

/* A triangle as it is at this moment of the pass; false where it has collapsed. */
static int now(u32 t, Corners *c) {
  for (u32 k = 0; k < 3u; k++) {
    c->wedge[k] = triangles[3u * t + k];
    c->place[k] = corners[3u * t + k];
  }
  return c->place[0] != c->place[1] && c->place[1] != c->place[2] && c->place[0] != c->place[2];
}

static u32 corner_at(const Corners *c, u32 p) {
  return c->place[0] == p ? 0u : c->place[1] == p ? 1u : c->place[2] == p ? 2u : 3u;
}

static int turns_over(const Corners *c, u32 at, u32 q) {
  v4 a = places[c->place[next_corner(at)]], b = places[c->place[last_corner(at)]], side = sub(b, a);
  v4 before = cross(side, sub(places[c->place[at]], a)), after = cross(side, sub(places[q], a));
  float was = dot3(before, before), is = dot3(after, after), both = dot3(before, after);
  if (!(was > 0.0f)) return 0;
  return both <= 0.0f || both * both < flip_limit * flip_limit * was * is;
}

static float uv_area(const float *a, const float *b, const float *c) {
  return (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]);
}

static int uv_turns_over(const Corners *c, u32 at, u32 v) {
  if (uv_offset == NONE) return 0;
  const float *here = attributes + uv_offset;
  const float *a = here + c->wedge[next_corner(at)] * attribute_stride;
  const float *b = here + c->wedge[last_corner(at)] * attribute_stride;
  float before = uv_area(a, b, here + c->wedge[at] * attribute_stride);
  float after = uv_area(a, b, here + v * attribute_stride);
  return before * after < 0.0f;
}

typedef struct { u32 count, from[MAX_WEDGES], to[MAX_WEDGES]; } Pairs;

static u32 partner(const Pairs *pairs, u32 wedge) {
  for (u32 i = 0; i < pairs->count; i++)
    if (pairs->from[i] == wedge) return i;
  return NONE;
}

/* The wedge of q that continues the chart of w where p and q share no triangle of that chart. */
static u32 healed(u32 p, u32 q, u32 w) {
  Corners c;
  stamp++;
  for (u32 i = tri_start[p]; i < tri_start[p + 1u]; i++) {
    if (!now(tri_list[i], &c)) continue;
    u32 at = corner_at(&c, p);
    if (at > 2u || c.wedge[at] != w) continue;
    wedge_mark[c.wedge[next_corner(at)]] = stamp;
    wedge_mark[c.wedge[last_corner(at)]] = stamp;
  }
  for (u32 i = tri_start[q]; i < tri_start[q + 1u]; i++) {
    if (!now(tri_list[i], &c)) continue;
    u32 at = corner_at(&c, q);
    if (at > 2u || corner_at(&c, p) < 3u) continue;
    if (wedge_mark[c.wedge[next_corner(at)]] == stamp || wedge_mark[c.wedge[last_corner(at)]] == stamp)
      return c.wedge[at];
  }
  return NONE;
}

/* A triangle at p as `now` saw it: which corner p is, its wedge's pair, and whether it stays. */
typedef struct { Corners c; u32 triangle, at, pair, stays; } Spoke;

/* Tries to move p onto q. Returns how many triangles go, 0 where it must not be done. */
static u32 attempt(u32 p, u32 q, float limit, u32 left) {
  static Spoke spokes[MAX_VALENCE];
  u32 spoke_count = 0;
  if (tri_start[p + 1u] - tri_start[p] + tri_start[q + 1u] - tri_start[q] > MAX_VALENCE) return 0;
  Corners c;
  Pairs pairs;
  pairs.count = 0;
  u32 removed = 0, shared = 0, near_p, near_q;
  stamp += 2u;
  near_p = stamp - 1u;
  near_q = stamp;
  for (u32 i = tri_start[p]; i < tri_start[p + 1u]; i++) {
    if (!now(tri_list[i], &c)) continue;
    u32 at = corner_at(&c, p), to = corner_at(&c, q);
    if (at > 2u) return 0;
    mark[c.place[next_corner(at)]] = near_p;
    mark[c.place[last_corner(at)]] = near_p;
    u32 known = partner(&pairs, c.wedge[at]);
    if (known == NONE) {
      if (pairs.count == MAX_WEDGES) return 0;
      known = pairs.count++;
      pairs.from[known] = c.wedge[at];
      pairs.to[known] = NONE;
    }
    spokes[spoke_count++] = (Spoke){c, tri_list[i], at, known, to > 2u};
    if (to > 2u) {
      if (level < LOOSE && turns_over(&c, at, q)) return 0;
      continue;
    }
    removed++;
    if (pairs.to[known] != NONE && pairs.to[known] != c.wedge[to] && level < LOOSE) return 0;
    pairs.to[known] = c.wedge[to];
  }
  int odd = level == SCATTERED || (level == LOOSE && ((flags[p] | flags[q]) & LOCKED));
  if (!removed || removed >= left) return 0;
  if (!odd && (removed > 2u || ((flags[p] & BORDER) && removed != 1u))) return 0;
  /* The link condition: p and q have no common neighbour but across the triangles that go. */
  u32 pair_a = NONE, pair_b = NONE;
  for (u32 i = tri_start[q]; i < tri_start[q + 1u]; i++) {
    if (!now(tri_list[i], &c)) continue;
    u32 at = corner_at(&c, q);
    if (at > 2u) return 0;
    u32 a = c.place[next_corner(at)], b = c.place[last_corner(at)];
    int near_a = mark[a] == near_p || mark[a] == near_q, near_b = mark[b] == near_p || mark[b] == near_q;
    if (near_a && near_b && a != p && b != p) { pair_a = a; pair_b = b; }
    if (mark[a] == near_p && a != p) { mark[a] = near_q; shared++; }
    if (mark[b] == near_p && b != p) { mark[b] = near_q; shared++; }
  }
  if (!odd && shared != removed) return 0;
  if (!odd && pair_a != NONE)
    for (u32 i = 0; i < spoke_count; i++)
      if (corner_at(&spokes[i].c, pair_a) < 3u && corner_at(&spokes[i].c, pair_b) < 3u) return 0;
  v4 y = sub(places[q], places[p]);
  float error = 0.0f;
  for (u32 i = 0; i < pairs.count; i++) {
    u32 w = pairs.from[i];
    if (pairs.to[i] == NONE) pairs.to[i] = healed(p, q, w);
    if (pairs.to[i] != NONE) { error += error_at(w, pairs.to[i], y); continue; }
    if (level < CARRYING) return 0;
    error += carry_penalty * error_alone(w, y);
  }
  if (error > limit) return 0;
  if (uv_offset != NONE && level < LOOSE)
    for (u32 i = 0; i < spoke_count; i++) {
      const Spoke *s = spokes + i;
      u32 to = pairs.to[s->pair];
      if (s->stays && to != NONE && uv_turns_over(&s->c, s->at, to)) return 0;
    }
  for (u32 i = 0; i < spoke_count; i++) {
    u32 to = pairs.to[spokes[i].pair], corner = 3u * spokes[i].triangle + spokes[i].at;
    if (to != NONE) triangles[corner] = to;
    corners[corner] = q;
  }
  for (u32 i = 0; i < pairs.count; i++) {
    u32 w = pairs.from[i], v = pairs.to[i];
    if (v != NONE) { merge(w, v, y); continue; }
    place_of[w] = q;
    /* Carried along: the same wedge at another place. Its quadric moves into the new frame. */
    float moved[MAX_ATTRIBUTES];
    v4 *h = (v4 *)(quadrics + w * quadric_stride);
    float area = h[0][3], left = error_alone(w, y);
    predict(w, y, moved);
    v4 b = h[2] + apply(h, y), y1 = y;
    y1[3] = 1.0f;
    for (u32 k = 0; k < attribute_count; k++) {
      float *s = attributes + w * attribute_stride + k, r = moved[k] - *s;
      b -= splat(r) * h[3 + k];
      h[3 + k][3] = sum4(h[3 + k] * y1) - area * r;
      *s = moved[k];
    }
    b[3] = 0.0f;
    h[2] = b;
    h[1][3] = left;
  }
  touched[q] = 1;
  busy[p] = busy[q] = 1;
  return removed;
}

static u32 living_wedges(void) {
  u32 count = 0;
  clear(wedge_mark, vertex_count);
  for (u32 i = 0; i < 3u * triangle_count; i++)
    if (!wedge_mark[triangles[i]]) { wedge_mark[triangles[i]] = 1; count++; }
  return count;
}

/* One round: every place takes part in one collapse at most. Returns how many were done. */
static u32 pass(u32 triangle_goal, u32 vertex_goal, int anew) {
  list_triangles();
  list_wedges();
  collect(anew);
  u32 count = candidate_count, living = wedge_start[place_count], left = triangle_count;
  if (!count) return 0;
  sort(count);
  for (u32 p = 0; p < place_count; p++) busy[p] = 0;
  u32 wanted = left > triangle_goal ? (left - triangle_goal) / 2u : 0u;
  u32 excess = living > vertex_goal ? living - vertex_goal : 0u;
  if (excess > wanted) wanted = excess;
  u32 aim = (u32)(pass_share * (float)wanted);
  float limit = candidates[order[aim < count ? aim : count - 1u]].error * error_slack + 1e-20f;
  u32 done = 0, least = 1u + wanted / 16u;
  for (u32 i = 0; i < count && (left > triangle_goal || living > vertex_goal); i++) {
    Collapse c = candidates[order[i]];
    if (c.error > limit && done >= least) break;
    if (busy[c.from] || busy[c.to]) continue;
    u32 removed = attempt(c.from, c.to, c.error * 2.0f > limit ? c.error * 2.0f + 1e-20f : limit, left);
    if (!removed) continue;
    left -= removed;
    living -= living > 0u ? 1u : 0u;
    done++;
  }
  drop_collapsed();
  return done;
}

/* ---- Placement: each place that took others in moves to where its error is least ---- */

static void solve(u32 p) {
  float a[6] = {0, 0, 0, 0, 0, 0}, b[3] = {0, 0, 0}, trace;
  for (u32 i = wedge_start[p]; i < wedge_start[p + 1u]; i++) {
    const v4 *h = (const v4 *)(quadrics + wedge_list[i] * quadric_stride);
    float area = h[0][3], inverse = area > 0.0f ? 1.0f / area : 0.0f;
    for (u32 k = 0; k < 3u; k++) { a[k] += h[0][k]; a[3u + k] += h[1][k]; b[k] += h[2][k]; }
    for (u32 k = 0; k < attribute_count; k++) {
      v4 g = h[3 + k];
      for (u32 j = 0; j < 3u; j++) { a[j] -= g[j] * g[j] * inverse; b[j] -= g[3] * g[j] * inverse; }
      a[3] -= g[1] * g[0] * inverse; a[4] -= g[2] * g[0] * inverse; a[5] -= g[2] * g[1] * inverse;
    }
  }
  trace = a[0] + a[1] + a[2];
  if (!(trace > 0.0f)) return;
  for (u32 k = 0; k < 3u; k++) a[k] += trace * 1e-3f;
  /* LDL of the symmetric matrix. */
  float d0 = a[0], l10 = a[3] / d0, l20 = a[4] / d0;
  float d1 = a[1] - a[3] * l10, l21 = (a[5] - a[4] * l10) / d1;
  float d2 = a[2] - a[4] * l20 - l21 * l21 * d1;
  if (!(d0 > 0.0f) || !(d1 > trace * 1e-6f) || !(d2 > trace * 1e-6f)) return;
  float z0 = -b[0], z1 = -b[1] - l10 * z0, z2 = -b[2] - l20 * z0 - l21 * z1;
  float y2 = z2 / d2, y1 = z1 / d1 - l21 * y2, y0 = z0 / d0 - l10 * y1 - l20 * y2;
  v4 y = {y0, y1, y2, 0.0f};
  float reach = 0.0f, moved = dot3(y, y);
  if (!(moved < 1.0f)) return;
  v4 target = places[p] + y;
  for (u32 i = tri_start[p]; i < tri_start[p + 1u]; i++) {
    u32 *place = corners + 3u * tri_list[i], at = which_is(place, p);
    v4 m = places[place[next_corner(at)]], n = places[place[last_corner(at)]];
    v4 side = sub(n, m), before = cross(side, sub(places[p], m)), after = cross(side, sub(target, m));
    v4 spoke = sub(m, places[p]);
    float far = dot3(spoke, spoke), both = dot3(before, after), was = dot3(before, before), is = dot3(after, after);
    if (far > reach) reach = far;
    if (was > 0.0f && (both <= 0.0f || both * both < 0.25f * was * is)) return;
  }
  if (moved > reach) return;
  for (u32 i = wedge_start[p]; i < wedge_start[p + 1u]; i++) {
    float next[MAX_ATTRIBUTES];
    predict(wedge_list[i], y, next);
    for (u32 k = 0; k < attribute_count; k++) attributes[wedge_list[i] * attribute_stride + k] = next[k];
  }
  places[p] = target;
}

static void place_all(void) {
  list_triangles();
  list_wedges();
  for (u32 p = 0; p < place_count; p++)
    if (touched[p] && !flags[p] && wedge_start[p + 1u] - wedge_start[p] == 1u)
      solve(p);
}

/* Takes out the smallest separate parts until the goal is met or one is left. */
static void drop_islands(u32 triangle_goal) {
  for (u32 p = 0; p < place_count; p++) chart[p] = p;
  for (u32 t = 0; t < triangle_count; t++) {
    join(corners[3*t], corners[3*t+1]);
    join(corners[3*t], corners[3*t+2]);
  }
  float *area = quadrics; /* Borrowed: by the root of each part. */
  u32 parts = 0;
  for (u32 p = 0; p < place_count; p++) { area[p] = 0.0f; mark[p] = 0; chart[p] = root(p); }
  for (u32 t = 0; t < triangle_count; t++) {
    v4 n = normal_of(t);
    u32 at = chart[corners[3*t]];
    area[at] += __builtin_sqrtf(dot3(n, n));
    mark[at]++;
  }
  for (u32 p = 0; p < place_count; p++)
    if (chart[p] == p) candidates[parts++] = (Collapse){p, p, area[p]};
  sort(parts);
  for (u32 p = 0; p < place_count; p++) busy[p] = 0;
  u32 left = triangle_count, kept = 0;
  for (u32 i = 0; i + 1u < parts && left > triangle_goal; i++) {
    busy[candidates[order[i]].from] = 1;
    left -= mark[candidates[order[i]].from];
  }
  for (u32 t = 0; t < triangle_count; t++) {
    if (busy[chart[corners[3*t]]]) continue;
    for (u32 k = 0; k < 3u; k++) {
      triangles[3*kept+k] = triangles[3*t+k];
      corners[3*kept+k] = corners[3*t+k];
    }
    kept++;
  }
  triangle_count = kept;
  compact();
}

/* What a stage aims at; NONE, which every count meets, where the goal is met already. */
static u32 stage_goal(u32 count, u32 goal) {
  if (count <= goal) return NONE;
  u32 kept = (u32)(stage_share * (float)count);
  return goal > kept ? goal : kept;
}

/* Reduces the mesh to at most so many triangles and vertices, in stages that each keep a share.
 * Every stage weighs the mesh anew: what a seam is, and what an error is, follows the mesh as it
 * has become. Where nothing else can go, more is given up, as far as level
 * `last`. Returns the triangles left, which may be more than the goal. */
EXPORT(reduce) u32 reduce(u32 triangle_goal, u32 vertex_goal, u32 moving, u32 last) {
  level = STRICT;
  while (triangle_count > triangle_goal || vertex_count > vertex_goal) {
    u32 before = triangle_count + vertex_count;
    u32 triangle_stage = stage_goal(triangle_count, triangle_goal);
    u32 vertex_stage = stage_goal(vertex_count, vertex_goal);
    for (u32 p = 0; p < place_count; p++) touched[p] = 0;
    weigh();
    for (u32 round = 0; round < MAX_PASSES; round++) {
      if (!pass(triangle_stage, vertex_stage, round == 0)) break;
      if (triangle_count <= triangle_stage && living_wedges() <= vertex_stage) break;
    }
    if (moving) place_all();
    compact();
    if (triangle_count <= triangle_stage && vertex_count <= vertex_stage) continue;
    if (before - triangle_count - vertex_count > before / 64u) continue;
    if (level >= last) break;
    if (++level == SCATTERED) drop_islands(triangle_goal);
  }
  for (u32 v = 0; v < vertex_count; v++)
    for (u32 k = 0; k < 3u; k++) input_positions[3u * v + k] = places[place_of[v]][k];
  return triangle_count;
}

/* ---- Distance: the farthest of some points from a surface, by a tree of boxes ---- */

#define LEAF 3u /* Triangles in a leaf, about. */

static float *points;
static u32 point_count;
static v4 *low, *high; /* Boxes: 1 is the root, 2i and 2i + 1 are the halves of i. */
static u32 leaf_count, *sorted;

EXPORT(points) float *points_pointer(void) { return points; }

/* Makes room for a surface and points, which the caller then fills, in a box of about unit size. */
EXPORT(create_distance) void create_distance(u32 vertices, u32 faces, u32 count) {
  create(vertices, faces, 0, NONE);
  if (count > 0x3ffffffu) __builtin_trap();
  point_count = count;
  points = take(count * 12u);
}

static v4 at_vertex(const float *values, u32 v) {
  return (v4){values[3u * v], values[3u * v + 1u], values[3u * v + 2u], 0.0f};
}

static v4 corner_of(u32 t, u32 k) { return at_vertex(input_positions, triangles[3u * t + k]); }

static v4 lesser(v4 a, v4 b) { return __builtin_wasm_pmin_f32x4(a, b); }
static v4 greater(v4 a, v4 b) { return __builtin_wasm_pmax_f32x4(a, b); }

/* Sorts the triangles along a curve through space. */
static void sort_along_curve(void) {
  u32 n = triangle_count, *codes = take_words(n), *other = take_words(n);
  sorted = take_words(n);
  histogram = take_words(1u << CODE_BITS);
  for (u32 t = 0; t < n; t++)
    codes[t] = morton((corner_of(t, 0) + corner_of(t, 1) + corner_of(t, 2)) * splat(1.0f / 3.0f));
  sort_by_code(n, codes, other, sorted);
}

static u32 leaf_start(u32 leaf) {
  return (u32)((unsigned long long)leaf * triangle_count / leaf_count);
}

static void build_boxes(void) {
  for (leaf_count = 1; leaf_count * 2u * LEAF <= triangle_count;) leaf_count *= 2u;
  low = take(leaf_count * 32u);
  high = take(leaf_count * 32u);
  for (u32 leaf = 0; leaf < leaf_count; leaf++) {
    v4 least = corner_of(sorted[leaf_start(leaf)], 0), most = least;
    for (u32 i = leaf_start(leaf); i < leaf_start(leaf + 1u); i++)
      for (u32 k = 0; k < 3u; k++) {
        v4 corner = corner_of(sorted[i], k);
        least = lesser(least, corner);
        most = greater(most, corner);
      }
    low[leaf_count + leaf] = least;
    high[leaf_count + leaf] = most;
  }
  for (u32 i = leaf_count - 1u; i; i--) {
    low[i] = lesser(low[2u * i], low[2u * i + 1u]);
    high[i] = greater(high[2u * i], high[2u * i + 1u]);
  }
}

static float to_box(u32 node, v4 point) {
  v4 away = greater(greater(low[node] - point, point - high[node]), splat(0.0f));
  return dot3(away, away);
}

static float to_edge(v4 a, v4 b, v4 point) {
  v4 along = sub(b, a), offset = sub(point, a);
  float length = dot3(along, along), share = length > 0.0f ? dot3(offset, along) / length : 0.0f;
  share = share < 0.0f ? 0.0f : share > 1.0f ? 1.0f : share;
  offset -= along * splat(share);
  return dot3(offset, offset);
}

/* The squared distance of a point from a triangle. */
static float to_triangle(u32 t, v4 point) {
  v4 a = corner_of(t, 0), b = corner_of(t, 1), c = corner_of(t, 2);
  v4 n = cross(sub(b, a), sub(c, a));
  float squared = dot3(n, n);
  if (squared > 1e-36f && dot3(cross(sub(b, a), sub(point, a)), n) >= 0.0f &&
      dot3(cross(sub(c, b), sub(point, b)), n) >= 0.0f &&
      dot3(cross(sub(a, c), sub(point, c)), n) >= 0.0f) {
    float height = dot3(sub(point, a), n);
    return height * height / squared;
  }
  float ab = to_edge(a, b, point), bc = to_edge(b, c, point), ca = to_edge(c, a, point);
  float least = ab < bc ? ab : bc;
  return least < ca ? least : ca;
}

/* The squared distance of a point from the surface; once it is known to be `enough` or less,
 * something between the two. */
static float to_surface(v4 point, float enough) {
  struct { u32 node; float least; } stack[64];
  u32 depth = 0;
  float best = __builtin_inff();
  stack[depth].node = 1;
  stack[depth++].least = 0.0f;
  while (depth) {
    u32 node = stack[--depth].node;
    if (stack[depth].least >= best) continue;
    while (node < leaf_count) {
      float first = to_box(2u * node, point), second = to_box(2u * node + 1u, point);
      u32 nearer = 2u * node + (second < first);
      stack[depth].node = nearer ^ 1u;
      stack[depth++].least = second < first ? first : second;
      node = nearer;
    }
    for (u32 i = leaf_start(node - leaf_count); i < leaf_start(node - leaf_count + 1u); i++) {
      float found = to_triangle(sorted[i], point);
      if (found < best) best = found;
    }
    if (best <= enough) return best;
  }
  return best;
}

/* The largest distance of any of the points from the surface. */
EXPORT(distance) float distance(void) {
  if (!triangle_count) __builtin_trap();
  for (u32 i = 0; i < 3u * triangle_count; i++)
    if (triangles[i] >= vertex_count) __builtin_trap();
  sort_along_curve();
  build_boxes();
  float most = 0.0f;
  for (u32 i = 0; i < point_count; i++) {
    float found = to_surface(at_vertex(points, i), most);
    if (found > most) most = found;
  }
  return __builtin_sqrtf(most);
}
