/* WebSocket clients that count what they are told, and how late it is.
 *
 *   fanout -p PORT -n CLIENTS -t SECONDS [-w PATH] [-H HEADER] [-s MESSAGE] [-z STUCK]
 *
 * Every client says MESSAGE once it is let in. When all are in and a second has passed, a line
 * "started" is printed; then every message that holds "sentNs":N is counted, with its delay since
 * that moment of CLOCK_REALTIME, until SECONDS are over and one line of JSON is printed. A message
 * may hold many of them: each is a delivery. The first STUCK clients stop reading once they are in.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 512, ROOM = 1 << 21, REQUEST_MAX = 8192, BUCKETS = 100000 };
static const double BUCKET_MS = 0.1, SETTLE_S = 1.0, CONNECT_S = 60.0;

typedef struct {
  int fd;
  bool in, stuck;
  size_t length;
  char *bytes;
} Conn;

static struct { int port, clients, stuck; double seconds; const char *path, *header, *say; }
    want = {.clients = 1000, .seconds = 4, .path = "/ws", .header = "", .say = ""};
static int poller, in, lost;
static long deliveries, frames, buckets[BUCKETS];
static bool counting;
static double worst_ms;

static void die(const char *why) {
  fprintf(stderr, "fanout: %s\n", why);
  exit(1);
}

static long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void send_all(Conn *conn, const void *bytes, size_t length) {
  if (write(conn->fd, bytes, length) != (ssize_t)length) die("short write");
}

static void send_frame(Conn *conn, int opcode, const char *payload, size_t length) {
  unsigned char frame[REQUEST_MAX + 8] = {(unsigned char)(0x80 | opcode)};
  size_t head = 2;
  if (length > 125) {
    frame[1] = 0x80 | 126, frame[2] = (unsigned char)(length >> 8), frame[3] = length & 255;
    head = 4;
  } else {
    frame[1] = (unsigned char)(0x80 | length);
  }
  memcpy(frame + head + 4, payload, length); /* a mask of zero bytes leaves the payload as it is */
  send_all(conn, frame, head + 4 + length);
}

static Conn *dial(void) {
  Conn *conn = calloc(1, sizeof *conn);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)want.port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (conn->fd < 0 || connect(conn->fd, (struct sockaddr *)&to, sizeof to)) die(strerror(errno));
  conn->bytes = malloc(ROOM);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
  epoll_ctl(poller, EPOLL_CTL_ADD, conn->fd, &event);
  char request[REQUEST_MAX];
  int length = snprintf(request, sizeof request,
      "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
      want.path, want.port, want.header);
  send_all(conn, request, (size_t)length);
  fcntl(conn->fd, F_SETFL, O_NONBLOCK);
  return conn;
}

static void count(const char *text, size_t length, long now) {
  const char *end = text + length;
  frames++;
  while ((text = memmem(text, (size_t)(end - text), "\"sentNs\":", 9))) {
    text += 9;
    double ms = (double)(now - strtol(text, NULL, 10)) / 1e6;
    long bucket = (long)(ms / BUCKET_MS);
    buckets[bucket < 0 ? 0 : bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    if (ms > worst_ms) worst_ms = ms;
    deliveries++;
  }
}

static bool open_up(Conn *conn) {
  char *end = memmem(conn->bytes, conn->length, "\r\n\r\n", 4);
  if (!end) return false;
  if (memcmp(conn->bytes + 9, "101", 3)) die("the WebSocket was not granted");
  size_t head = (size_t)(end - conn->bytes) + 4;
  conn->length -= head;
  memmove(conn->bytes, conn->bytes + head, conn->length);
  conn->in = true;
  in++;
  if (*want.say) send_frame(conn, 1, want.say, strlen(want.say));
  if (conn->stuck) epoll_ctl(poller, EPOLL_CTL_DEL, conn->fd, NULL);
  return true;
}

static void take(Conn *conn) {
  ssize_t got = read(conn->fd, conn->bytes + conn->length, ROOM - conn->length);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    epoll_ctl(poller, EPOLL_CTL_DEL, conn->fd, NULL);
    lost++;
    return;
  }
  conn->length += (size_t)got;
  if (!conn->in && !open_up(conn)) return;
  size_t at = 0;
  long now = now_ns();
  while (conn->length - at >= 2) {
    const unsigned char *head = (unsigned char *)conn->bytes + at;
    size_t length = head[1] & 127, extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (conn->length - at < 2 + extra) break;
    if (extra) length = 0;
    for (size_t i = 0; i < extra; i++) length = length << 8 | head[2 + i];
    if (length > ROOM / 2) die("a frame of absurd length");
    if (conn->length - at < 2 + extra + length) break;
    const char *payload = (const char *)head + 2 + extra;
    if ((head[0] & 15) == 9) send_frame(conn, 10, payload, length);
    if ((head[0] & 15) == 1 && counting) count(payload, length, now);
    at += 2 + extra + length;
  }
  conn->length -= at;
  memmove(conn->bytes, conn->bytes + at, conn->length);
}

static void poll_until(double until_s, int enough) {
  long until = now_ns() + (long)(until_s * 1e9);
  struct epoll_event events[EVENTS];
  while (now_ns() < until && (enough < 0 || in < enough)) {
    int ready = epoll_wait(poller, events, EVENTS, 20);
    for (int i = 0; i < ready; i++) take(events[i].data.ptr);
  }
}

static double quantile(double share) {
  long left = (long)(share * (double)deliveries);
  for (int i = 0; i < BUCKETS; i++)
    if ((left -= buckets[i]) < 0) return (i + 1) * BUCKET_MS;
  return worst_ms;
}

static void parse(int argc, char **argv) {
  for (int option; (option = getopt(argc, argv, "p:n:t:w:H:s:z:")) > 0;) switch (option) {
    case 'p': want.port = atoi(optarg); break;
    case 'n': want.clients = atoi(optarg); break;
    case 't': want.seconds = atof(optarg); break;
    case 'w': want.path = optarg; break;
    case 'H': {
      char *header;
      if (asprintf(&header, "%s\r\n", optarg) < 0) die("out of memory");
      want.header = header;
      break;
    }
    case 's': want.say = optarg; break;
    case 'z': want.stuck = atoi(optarg); break;
    default: die("unknown option");
  }
  if (want.port <= 0 || want.clients <= 0) die("needs -p and -n above zero");
  if (strlen(want.header) + strlen(want.path) > REQUEST_MAX / 2) die("-H or -w is too long");
  if (strlen(want.say) > REQUEST_MAX) die("-s is too long");
}

int main(int argc, char **argv) {
  parse(argc, argv);
  poller = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < want.clients; i++) {
    Conn *conn = dial();
    conn->stuck = i < want.stuck;
    if (i % 50 == 49) poll_until(CONNECT_S, i - 40);
  }
  poll_until(CONNECT_S, want.clients);
  if (in < want.clients) die("not all clients were let in");
  poll_until(SETTLE_S, -1);
  puts("started");
  fflush(stdout);
  struct timespec before, after;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
  counting = true;
  long began = now_ns();
  poll_until(want.seconds, -1);
  double wall = (double)(now_ns() - began) / 1e9;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
  double cpu = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
  printf("{\"clients\":%d,\"lost\":%d,\"deliveries\":%ld,\"frames\":%ld,\"per_s\":%.0f,"
         "\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f,\"wall_s\":%.3f,\"client_cpu_s\":%.3f}\n",
         in, lost, deliveries, frames, (double)deliveries / wall, quantile(.5), quantile(.99),
         worst_ms, wall, cpu);
  return 0;
}
