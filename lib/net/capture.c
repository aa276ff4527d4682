/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file is read through a stream of our own, which counts bytes: so the
 * place of damage can be named on a pipe and inside a gzip file too.
 */
#include "net/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net/clock.h"

#include "base/banned.h"

#define SNAPLEN 262144 /* whole packets: the most that libpcap gives */
#define BLOCK_MS 50    /* how long the kernel may collect packets */
#define FILTER_MAX 16384u

struct span__capture {
	pcap_t *pcap;
	FILE *file; /* belongs to PCAP when there is one */
	int fd;
	bool live;
	uint64_t pos;	  /* bytes read from FD */
	uint64_t packets; /* of a file */
	uint32_t drops_seen;
	uint64_t drops;
	uint64_t end_ns; /* of an interface: packets after it are left */
	char name[128];
};

static ssize_t cookie_read(void *cookie, char *buf, size_t len)
{
	struct span__capture *c = cookie;
	ssize_t n;

	do
		n = read(c->fd, buf, len);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		c->pos += (uint64_t)n;
	return n;
}

/* Only says where it is: enough for ftello(3). */
static int cookie_seek(void *cookie, off64_t *offset, int whence)
{
	struct span__capture *c = cookie;

	if (whence != SEEK_CUR || *offset != 0)
		return -1;
	*offset = (off64_t)c->pos;
	return 0;
}

static struct span__capture *new_capture(const char *name)
{
	struct span__capture *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fd = -1;
	snprintf(c->name, sizeof(c->name), "%s", name);
	return c;
}

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

static int open_stream(struct span__capture **out, struct span__capture *c,
		       struct span_error *err)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	int rc;

	*out = NULL;
	if (!c || !c->file) {
		span__capture_close(&c);
		return no_memory(err);
	}
	c->pcap = pcap_fopen_offline_with_tstamp_precision(
		c->file, PCAP_TSTAMP_PRECISION_NANO, why);
	if (c->pcap) {
		*out = c;
		return 0;
	}
	rc = span_error_at(err, SPAN_E_CORRUPT, 0, "%s: no capture file: %s",
			   c->name, why);
	span__capture_close(&c);
	return rc;
}

int span__capture_open_fd(struct span__capture **out, int fd, const char *name,
			  struct span_error *err)
{
	const cookie_io_functions_t io = {.read = cookie_read,
					  .seek = cookie_seek};
	struct span__capture *c = new_capture(name);

	if (c) {
		c->fd = fd;
		c->file = fopencookie(c, "r", io);
	}
	return open_stream(out, c, err);
}

int span__capture_open_mem(struct span__capture **out, const void *p,
			   size_t len, const char *name, struct span_error *err)
{
	struct span__capture *c = new_capture(name);

	/* fmemopen(3) refuses an empty file on some systems. */
	if (c)
		c->file = len ? fmemopen((void *)(uintptr_t)p, len, "r")
			      : fopen("/dev/null", "r");
	return open_stream(out, c, err);
}

static int live_error(struct span__capture *c, int status,
		      struct span_error *err)
{
	const char *why = pcap_geterr(c->pcap);

	if (!*why)
		why = pcap_statustostr(status);
	errno = 0;
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return span_error_set(err, SPAN_E_NOTFOUND,
				      "%s: no such interface "
				      "(--list-interfaces shows them)",
				      c->name);
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return span_error_set(err, SPAN_E_IO,
				      "%s: capturing needs root or the "
				      "capability CAP_NET_RAW",
				      c->name);
	default:
		return span_error_set(err, SPAN_E_IO, "%s: %s", c->name, why);
	}
}

static int activate(struct span__capture *c, bool promiscuous, size_t buffer,
		    struct span_error *err)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	int status;

	if (buffer > INT32_MAX)
		buffer = INT32_MAX;
	pcap_set_snaplen(c->pcap, SNAPLEN);
	pcap_set_promisc(c->pcap, promiscuous);
	pcap_set_timeout(c->pcap, BLOCK_MS);
	pcap_set_buffer_size(c->pcap, (int)buffer);
	pcap_set_tstamp_precision(c->pcap, PCAP_TSTAMP_PRECISION_NANO);
	status = pcap_activate(c->pcap);
	if (status < 0)
		return live_error(c, status, err);
	if (pcap_setnonblock(c->pcap, 1, why) < 0 ||
	    pcap_get_selectable_fd(c->pcap) < 0)
		return span_error_set(err, SPAN_E_IO, "%s: %s", c->name,
				      *why ? why : "cannot be polled");
	return 0;
}

int span__capture_open_live(struct span__capture **out, const char *interface,
			    bool promiscuous, size_t buffer,
			    struct span_error *err)
{
	struct span__capture *c = new_capture(interface);
	char why[PCAP_ERRBUF_SIZE] = "";
	int rc;

	*out = NULL;
	if (!c)
		return no_memory(err);
	c->live = true;
	c->pcap = pcap_create(interface, why);
	if (c->pcap) {
		rc = activate(c, promiscuous, buffer, err);
	} else {
		errno = 0;
		rc = span_error_set(err, SPAN_E_IO, "%s: %s", interface, why);
	}
	if (rc < 0)
		span__capture_close(&c);
	*out = c;
	return rc;
}

static bool set_filter(struct span__capture *c, const char *filter)
{
	struct bpf_program program;
	int rc;

	if (pcap_compile(c->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) <
	    0)
		return false;
	rc = pcap_setfilter(c->pcap, &program);
	pcap_freecode(&program);
	return rc == 0;
}

int span__capture_filter(struct span__capture *c, const char *filter,
			 struct span_error *err)
{
	if (set_filter(c, filter))
		return 0;
	return span_error_set(err, SPAN_E_INVALID, "filter '%s': %s", filter,
			      pcap_geterr(c->pcap));
}

static void put_ports(struct span_buf *b, const char *protocol,
		      const uint16_t *ports, size_t n)
{
	if (!n)
		span_buf_printf(b, " or %s", protocol);
	for (size_t i = 0; i < n; i++)
		span_buf_printf(b, " or (%s dst port %u)", protocol, ports[i]);
}

/*
 * Later fragments have no port, and behind an IPv6 extension header libpcap
 * does not look for one: both pass, as do three VLAN tags, and
 * span__packets_next() decides.
 */
void span__capture_filter_ports(struct span__capture *c,
				const struct span__ports *ports)
{
	struct span_buf one = {0}, all = {0};

	span_buf_puts(&one, "(ip[6:2] & 0x1fff != 0) or (ip6[6] == 0) or "
			    "(ip6[6] == 43) or (ip6[6] == 44) or "
			    "(ip6[6] == 51) or (ip6[6] == 60)");
	put_ports(&one, "udp", ports->udp, ports->n_udp);
	put_ports(&one, "tcp", ports->tcp, ports->n_tcp);
	span_buf_put(&all, one.p, one.len);
	switch (pcap_datalink(c->pcap)) {
	case DLT_EN10MB:
		span_buf_printf(&all,
				" or (vlan and (%.*s or (vlan and "
				"(%.*s or vlan))))",
				(int)one.len, one.p, (int)one.len, one.p);
		break;
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2: /* where libpcap knows nothing of vlan */
		span_buf_puts(&all, " or ether proto 0x8100 or "
				    "ether proto 0x88a8 or ether proto 0x9100");
		break;
	default:
		break;
	}
	span_buf_putc(&all, '\0');
	if (!one.failed && !all.failed && all.len <= FILTER_MAX)
		(void)set_filter(c, all.p);
	span_buf_release(&one);
	span_buf_release(&all);
}

bool span__capture_is_live(const struct span__capture *c)
{
	return c->live;
}

int span__capture_link(const struct span__capture *c)
{
	return pcap_datalink(c->pcap);
}

const char *span__capture_link_name(const struct span__capture *c)
{
	const char *name = pcap_datalink_val_to_name(pcap_datalink(c->pcap));

	return name ? name : "unknown";
}

static uint64_t time_of(const struct pcap_pkthdr *h)
{
	/* The file's bytes decide: no part may be negative or too large. */
	uint64_t s = h->ts.tv_sec > 0 ? (uint64_t)h->ts.tv_sec : 0;
	uint64_t ns = h->ts.tv_usec > 0 ? (uint64_t)h->ts.tv_usec : 0;

	if (s > UINT64_MAX / 1000000000u - 10)
		s = UINT64_MAX / 1000000000u - 10;
	if (ns > 999999999u)
		ns = 999999999u;
	return s * 1000000000u + ns;
}

static int file_error(struct span__capture *c, uint64_t pos,
		      struct span_error *err)
{
	const char *why = pcap_geterr(c->pcap);
	bool torn = strncmp(why, "truncated dump file", 19) == 0;

	if (ferror(c->file))
		return span_error_set(err, SPAN_E_IO, "%s", c->name);
	return span_error_at(err, torn ? SPAN_E_TRUNCATED : SPAN_E_CORRUPT, pos,
			     "%s: packet %llu at byte %llu: %s", c->name,
			     (unsigned long long)c->packets + 1,
			     (unsigned long long)pos, why);
}

int span__capture_next(struct span__capture *c, struct span__frame *f,
		       struct span_error *err)
{
	struct pcap_pkthdr *h;
	const u_char *p;
	off_t pos = c->live ? 0 : ftello(c->file);
	int rc = pcap_next_ex(c->pcap, &h, &p);

	if (rc == 1) {
		c->packets++;
		*f = (struct span__frame){
			.time_ns = time_of(h),
			.p = p,
			.len = h->caplen,
			.wire_len = h->len,
		};
		return !c->end_ns || f->time_ns <= c->end_ns;
	}
	if (rc == 0 || rc == PCAP_ERROR_BREAK)
		return 0;
	if (c->live)
		return live_error(c, rc, err);
	return file_error(c, pos > 0 ? (uint64_t)pos : 0, err);
}

int span__capture_poll_fd(const struct span__capture *c)
{
	return pcap_get_selectable_fd(c->pcap);
}

int span__capture_poll_ms(const struct span__capture *c)
{
	const struct timeval *t = pcap_get_required_select_timeout(c->pcap);

	return t ? (int)(t->tv_sec * 1000 + t->tv_usec / 1000 + 1) : -1;
}

void span__capture_stop(struct span__capture *c)
{
	const struct timespec block = {.tv_nsec = 2 * BLOCK_MS * 1000000};

	c->end_ns = span__epoch_ns();
	nanosleep(&block, NULL);
}

uint64_t span__capture_kernel_drops(struct span__capture *c)
{
	struct pcap_stat st;

	if (c->live && pcap_stats(c->pcap, &st) == 0) {
		c->drops += (uint32_t)(st.ps_drop - c->drops_seen);
		c->drops_seen = st.ps_drop;
	}
	return c->drops;
}

void span__capture_close(struct span__capture **cp)
{
	struct span__capture *c = *cp;

	*cp = NULL;
	if (!c)
		return;
	if (c->pcap)
		pcap_close(c->pcap);
	else if (c->file)
		fclose(c->file);
	free(c);
}

static void print_addresses(FILE *f, const pcap_addr_t *list)
{
	for (; list; list = list->next) {
		char text[INET6_ADDRSTRLEN];
		const struct sockaddr *a = list->addr;
		const void *bytes;

		if (!a || (a->sa_family != AF_INET && a->sa_family != AF_INET6))
			continue;
		bytes = a->sa_family == AF_INET
				? (const void *)&((const struct sockaddr_in
							   *)(const void *)a)
					  ->sin_addr
				: (const void *)&((const struct sockaddr_in6
							   *)(const void *)a)
					  ->sin6_addr;
		if (inet_ntop(a->sa_family, bytes, text, sizeof(text)))
			fprintf(f, " %s", text);
	}
}

int span__capture_list(FILE *f, struct span_error *err)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_if_t *list = NULL;

	if (pcap_findalldevs(&list, why) < 0) {
		errno = 0;
		return span_error_set(err, SPAN_E_IO,
				      "cannot list the interfaces: %s", why);
	}
	if (!list)
		return span_error_set(err, SPAN_E_NOTFOUND,
				      "no interface that may be captured on");
	for (pcap_if_t *i = list; i; i = i->next) {
		/* Not USB, Bluetooth and the like. */
		if (!if_nametoindex(i->name) && strcmp(i->name, "any") != 0)
			continue;
		fprintf(f, "%-15s %-5s", i->name,
			i->flags & PCAP_IF_UP ? "up" : "down");
		print_addresses(f, i->addresses);
		if (i->description)
			fprintf(f, " (%s)", i->description);
		putc('\n', f);
	}
	pcap_freealldevs(list);
	return 0;
}
