/* loadgen: place orders over HTTP, watch them reach CONFIRMED over WebSocket, print one JSON line.
 *
 * Place in the flow: benches/loadgen/drive.py compiles and runs it against one desk or its peer.
 * One thread, one epoll. The clock of an order starts just before its POST is written and stops
 * when the frame that says CONFIRMED has been read; an order counts once, whichever of the POST's
 * answer and the last frame arrives first.
 *
 *   -p PORT      on 127.0.0.1
 *   -n ORDERS    how many to place
 *   -k FLIGHT    closed loop: at most so many unfinished orders; 0 = backlog, as fast as answered
 *   -m all|each  one WebSocket for all orders, or one per order
 *   -w PATH      the WebSocket's path; with -m each, the prefix before /<orderId>
 *   -H HEADER    one header, such as "Authorization: Bearer ...", sent on POSTs and upgrades
 *   -t SECONDS   give up
 *
 * Exit 0 when it measured (errors are in the line), 2 when it could not start.
 * WebSocket framing: RFC 6455 section 5.2.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { CONNS = 32, ID = 36, READ_AHEAD = 1 << 14, BUFFER_MAX = 1 << 26, EVENTS = 256 };
enum { STATUS_MAX = 16, SHOWN_ERRORS = 3, SHOWN_BYTES = 400, REQUEST_MAX = 2048 };
static const double SUBSCRIBE_S = 0.5; /* servers may subscribe after granting the upgrade */
static const char BODY[] = "{\"pair\":\"SOL-USDC\",\"amount\":10.5,\"direction\":\"BUY\"}";

typedef struct Conn {
  int fd;
  bool socket;         /* a WebSocket; else one of the kept-alive HTTP connections */
  bool open, done;     /* WebSocket: the upgrade was granted; its one order has ended */
  double sent;         /* HTTP: when the POST was written */
  char *bytes;
  size_t length, room;
  struct Conn *next;   /* among the idle HTTP connections */
} Conn;

typedef struct {
  char id[ID];
  bool used, failed, counted;
  double sent, ended;  /* 0 = not yet known */
} Order;

static struct { int port, orders, flight; bool each; const char *path; double limit_s; }
    want = {.orders = 1000, .path = "/ws/orders", .limit_s = 60};
static char *header = "";
static int poller, posted, accepted, confirmed, failed, refused, errors, in_flight;
static long updates, frames;
static bool watching; /* a WebSocket has been granted */
static bool broken;   /* a connection was lost: what follows would not be a measurement */
static double first_post, all_accepted, last_confirmed;
static Conn *idle;
static Order *table;
static size_t table_size, table_used;
static double *delays_ms; /* one per confirmed order */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what) {
  fprintf(stderr, "loadgen: %s\n", what);
  exit(2);
}

static void count_error(const char *what, const char *detail, size_t length) {
  if (errors++ >= SHOWN_ERRORS) return;
  int shown = length < SHOWN_BYTES ? (int)length : SHOWN_BYTES;
  fprintf(stderr, "loadgen: %s: %.*s\n", what, shown, detail);
}

/* ---- orders: a hash table by id, open addressing ------------------------------------------- */

static Order *order_of(const char *id) {
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (int i = 0; i < ID; i++) hash = (hash ^ (unsigned char)id[i]) * 16777619u;
  size_t slot = hash % table_size;
  for (; table[slot].used; slot = (slot + 1) % table_size)
    if (!memcmp(table[slot].id, id, ID)) return &table[slot];
  /* Strangers (orders of an earlier run, still moving) land here too; half full is the bound. */
  if (++table_used > table_size / 2) die("updates of far too many other orders");
  table[slot].used = true;
  memcpy(table[slot].id, id, ID);
  return &table[slot];
}

static void count_order(Order *order) {
  if (!order->sent || !order->ended || order->counted) return;
  order->counted = true;
  in_flight--;
  failed += order->failed;
  if (order->failed) return;
  if (order->ended > last_confirmed) last_confirmed = order->ended;
  delays_ms[confirmed++] = (order->ended - order->sent) * 1e3;
}

/* Returns true when this was the order's last state. */
static bool on_update(const char *id, const char *status) {
  bool done = !strcmp(status, "CONFIRMED");
  updates++;
  if (!done && strcmp(status, "FAILED") && strcmp(status, "CANCELLED")) return false;
  Order *order = order_of(id);
  if (order->ended) return true;
  order->ended = now();
  order->failed = !done;
  count_order(order);
  return true;
}

/* Reads "orderId" and "status" of every outermost object, in any order; arrays are looked through
 * and nested objects skipped. Returns how many orders reached their last state. */
static int read_updates(const char *text, size_t length) {
  const char *end = text + length, *id = NULL;
  char status[STATUS_MAX] = "";
  int depth = 0, finished = 0;
  enum { OTHER, ORDER_ID, STATUS } key = OTHER;
  for (const char *at = text; at < end; at++) {
    if (*at == '{' && ++depth == 1) id = NULL, status[0] = 0, key = OTHER;
    if (*at == '}' && --depth == 0 && id && status[0]) finished += on_update(id, status);
    if (*at == ',') key = OTHER;
    if (*at != '"') continue;
    const char *word = ++at;
    while (at < end && *at != '"') at += *at == '\\' ? 2 : 1;
    if (at >= end) break;
    if (depth != 1) continue;
    size_t size = (size_t)(at - word);
    const char *after = at + 1;
    while (after < end && *after == ' ') after++;
    if (after < end && *after == ':') {
      key = OTHER;
      if (size == 7 && !memcmp(word, "orderId", 7)) key = ORDER_ID;
      if (size == 6 && !memcmp(word, "status", 6)) key = STATUS;
    } else if (key == ORDER_ID && size == ID) {
      id = word;
    } else if (key == STATUS && size < STATUS_MAX) {
      memcpy(status, word, size);
      status[size] = 0;
    }
  }
  return finished;
}

/* ---- connections --------------------------------------------------------------------------- */

static Conn *dial(bool is_socket) {
  Conn *conn = calloc(1, sizeof *conn);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)want.port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  conn->socket = is_socket;
  conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (conn->fd < 0 || connect(conn->fd, (struct sockaddr *)&to, sizeof to)) die(strerror(errno));
  setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  fcntl(conn->fd, F_SETFL, O_NONBLOCK);
  conn->bytes = malloc(conn->room = READ_AHEAD * 4);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
  epoll_ctl(poller, EPOLL_CTL_ADD, conn->fd, &event);
  return conn;
}

static void send_all(Conn *conn, const void *bytes, size_t length) {
  /* Requests are small and answered before the next: a full socket buffer means a dead server. */
  if (write(conn->fd, bytes, length) != (ssize_t)length) count_error("short write", "", 0);
}

static void upgrade(const char *path) {
  char request[REQUEST_MAX];
  int length = snprintf(request, sizeof request,
      "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
      path, want.port, header);
  send_all(dial(true), request, (size_t)length);
}

static void post(Conn *conn) {
  char request[REQUEST_MAX];
  int length = snprintf(request, sizeof request,
      "POST /api/orders HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
      "%sContent-Length: %zu\r\n\r\n%s",
      want.port, header, sizeof BODY - 1, BODY);
  conn->sent = now();
  posted++, in_flight++;
  send_all(conn, request, (size_t)length);
}

static void post_more(void) {
  while (idle && posted < want.orders && (!want.flight || in_flight < want.flight)) {
    Conn *conn = idle;
    idle = conn->next;
    post(conn);
  }
}

static void consume(Conn *conn, size_t length) {
  conn->length -= length;
  memmove(conn->bytes, conn->bytes + length, conn->length);
}

/* ---- what arrives: each takes all whole messages; false = close the connection --------------- */

static size_t head_length(const Conn *conn) {
  char *end = memmem(conn->bytes, conn->length, "\r\n\r\n", 4);
  return end ? (size_t)(end - conn->bytes) + 4 : 0;
}

static int status_code(const Conn *conn) { return atoi(conn->bytes + sizeof "HTTP/1.1"); }

/* Returns false when the answer names no order. */
static bool on_created(Conn *conn, const char *body, size_t length) {
  char *key = memmem(body, length, "\"orderId\"", 9);
  char *quote = key ? memchr(key + 9, '"', length - (size_t)(key + 9 - body)) : NULL;
  if (!quote || quote + 1 + ID > body + length) return false;
  Order *order = order_of(quote + 1);
  order->sent = conn->sent;
  if (want.each) {
    char path[REQUEST_MAX / 2];
    snprintf(path, sizeof path, "%s/%.*s", want.path, ID, quote + 1);
    upgrade(path);
  }
  count_order(order);
  return true;
}

static bool on_http(Conn *conn) {
  size_t head = head_length(conn);
  if (!head) return true;
  conn->bytes[head - 1] = 0; /* ends the head for strcasestr; the body stays whole */
  char *field = strcasestr(conn->bytes, "\ncontent-length:");
  if (!field) die("an answer without Content-Length");
  size_t length = strtoul(field + 16, NULL, 10);
  conn->bytes[head - 1] = '\n';
  if (conn->length < head + length) return true;
  bool created = status_code(conn) / 100 == 2 && on_created(conn, conn->bytes + head, length);
  if (created && ++accepted) all_accepted = now();
  if (!created) {
    count_error("order refused", conn->bytes, head + length);
    refused++, in_flight--;
  }
  consume(conn, head + length);
  conn->next = idle;
  idle = conn;
  return true;
}

static void send_control(Conn *conn, int opcode, const char *payload, size_t length) {
  unsigned char frame[6 + 125] = {(unsigned char)(0x80 | opcode), (unsigned char)(0x80 | length)};
  memcpy(frame + 6, payload, length); /* a mask of four zero bytes leaves the payload as it is */
  send_all(conn, frame, 6 + length);
}

static bool on_frame(Conn *conn, int first, const char *payload, size_t length) {
  int opcode = first & 15;
  if (opcode == 8) return false;
  if (opcode == 9 && length <= 125) send_control(conn, 10, payload, length);
  if (opcode > 2) return true;
  if (first < 0x80 || !opcode) die("fragmented messages are not read");
  frames++;
  conn->done = read_updates(payload, length) && want.each;
  if (conn->done) send_control(conn, 8, "\x03\xe8", 2); /* 1000: done with this order */
  return !conn->done;
}

static bool on_socket(Conn *conn) {
  if (!conn->open) {
    size_t head = head_length(conn);
    if (!head) return true;
    if (status_code(conn) != 101) {
      count_error("upgrade refused", conn->bytes, head);
      return false;
    }
    conn->open = watching = true;
    consume(conn, head);
  }
  size_t at = 0;
  bool stays = true;
  while (stays && conn->length - at >= 2) {
    const unsigned char *head = (unsigned char *)conn->bytes + at;
    size_t length = head[1] & 127, extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (conn->length - at < 2 + extra) break;
    if (extra) length = 0;
    for (size_t i = 0; i < extra; i++) length = length << 8 | head[2 + i];
    if (length > BUFFER_MAX) die("a frame of absurd length");
    if (conn->length - at < 2 + extra + length) break;
    stays = on_frame(conn, head[0], (const char *)head + 2 + extra, length);
    at += 2 + extra + length;
  }
  consume(conn, at);
  return stays;
}

static void hang_up(Conn *conn) {
  if (!conn->done) count_error("connection lost", "", 0);
  broken |= !conn->done;
  close(conn->fd);
  free(conn->bytes);
  free(conn);
}

static void on_readable(Conn *conn) {
  for (;;) {
    if (conn->room - conn->length < READ_AHEAD) {
      if (conn->room >= BUFFER_MAX) die("a message of absurd length");
      conn->bytes = realloc(conn->bytes, conn->room *= 2);
    }
    size_t asked = conn->room - conn->length;
    ssize_t got = read(conn->fd, conn->bytes + conn->length, asked);
    if (got < 0 && errno == EAGAIN) return;
    conn->length += got > 0 ? (size_t)got : 0;
    if (got <= 0 || !(conn->socket ? on_socket(conn) : on_http(conn))) return hang_up(conn);
    if (got < (ssize_t)asked) return;
  }
}

static void poll_once(int timeout_ms) {
  struct epoll_event events[EVENTS];
  int ready = epoll_wait(poller, events, EVENTS, timeout_ms);
  for (int i = 0; i < ready; i++) on_readable(events[i].data.ptr);
}

/* ---- the run ------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Nearest rank, in ms: the smallest delay that at least this share of all does not exceed. */
static double quantile(double share) {
  if (!confirmed) return 0;
  int rank = (int)(share * confirmed + 0.999999);
  return delays_ms[(rank > 0 ? rank : 1) - 1];
}

static void parse(int argc, char **argv) {
  for (int option; (option = getopt(argc, argv, "p:n:k:m:w:H:t:")) > 0;) switch (option) {
    case 'p': want.port = atoi(optarg); break;
    case 'n': want.orders = atoi(optarg); break;
    case 'k': want.flight = atoi(optarg); break;
    case 'm': want.each = !strcmp(optarg, "each"); break;
    case 'w': want.path = optarg; break;
    case 'H': if (asprintf(&header, "%s\r\n", optarg) < 0) die("out of memory"); break;
    case 't': want.limit_s = atof(optarg); break;
    default: die("unknown option");
  }
  if (want.port <= 0 || want.orders <= 0) die("needs -p and -n above zero");
  if (strlen(header) + strlen(want.path) > REQUEST_MAX / 2) die("-H or -w is too long");
  if (want.each && !want.flight) die("one WebSocket per order needs -k: sockets must be bounded");
}

static void print_result(double ended) {
  double cpu = (double)clock() / CLOCKS_PER_SEC;
  double confirm_s = last_confirmed - first_post, accept_s = all_accepted - first_post;
  qsort(delays_ms, (size_t)confirmed, sizeof *delays_ms, ascending);
  printf("{\"orders\":%d,\"accepted\":%d,\"confirmed\":%d,\"failed\":%d,\"unfinished\":%d,"
         "\"errors\":%d,\"updates\":%ld,\"frames\":%ld,"
         "\"accepted_per_s\":%.1f,\"confirmed_per_s\":%.1f,"
         "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,"
         "\"wall_s\":%.3f,\"client_cpu_s\":%.3f}\n",
         want.orders, accepted, confirmed, failed, want.orders - confirmed - failed,
         errors, updates, frames,
         accepted ? accepted / accept_s : 0, confirmed ? confirmed / confirm_s : 0,
         quantile(.5), quantile(.99), quantile(1), ended - first_post, cpu);
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  parse(argc, argv);
  table_size = (size_t)want.orders * 8 + 8192;
  table = calloc(table_size, sizeof *table);
  delays_ms = calloc((size_t)want.orders, sizeof *delays_ms);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (!want.each) upgrade(want.path);
  for (int i = 0; i < CONNS; i++) {
    Conn *conn = dial(false);
    conn->next = idle;
    idle = conn;
  }
  for (double start = now(); now() - start < SUBSCRIBE_S && !broken;) poll_once(50);
  if (!want.each && !watching) die("the WebSocket was not granted");
  first_post = now();
  while (confirmed + failed + refused < want.orders && !broken) {
    if (now() - first_post > want.limit_s) break;
    post_more();
    poll_once(100);
  }
  print_result(now());
  return 0;
}
