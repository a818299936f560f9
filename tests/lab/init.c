/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first and only process that the lab's kernel starts: it runs one command and powers
 * off.
 *
 * The command sees the machine that started the lab: its file system over 9p, read only,
 * below a layer in memory that takes what is written.  So nothing has to be linked or
 * packed for the lab, and nothing that runs inside changes the machine.  Linked
 * statically, lives in an initramfs.  scripts/lab.sh starts it; docs/lab.md.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What scripts/lab.sh reads from the port "status" when the command could not be run. */
enum { LAB_FAILED = 125 };

struct mount_point {
	const char *type, *where, *options;
};

/* Before there is the machine's file system; and in it. */
static const struct mount_point early[] = {
	{"devtmpfs", "/dev", ""},
	{"proc", "/proc", ""},
	{"sysfs", "/sys", ""},
};
static const struct mount_point late[] = {
	{"proc", "/proc", ""},
	{"sysfs", "/sys", ""},
	{"devtmpfs", "/dev", ""},
	{"devpts", "/dev/pts", "ptmxmode=666"},
	{"tmpfs", "/dev/shm", ""},
	{"tmpfs", "/run", ""},
	{"bpf", "/sys/fs/bpf", ""},
	{"cgroup2", "/sys/fs/cgroup", ""},
	{"tracefs", "/sys/kernel/tracing", ""},
	{"debugfs", "/sys/kernel/debug", ""},
	{"securityfs", "/sys/kernel/security", ""},
};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* On the console, which scripts/lab.sh shows when there is no status. */
static void say(const char *format, ...)
{
	va_list args;

	printf("lab: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

static _Noreturn void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	_exit(LAB_FAILED); /* the kernel panics, and says so */
}

static _Noreturn void give_up(const char *what)
{
	say("%s: %s", what, strerror(errno));
	power_off();
}

static void mount_one(const struct mount_point *m)
{
	mkdir(m->where, 0755);
	if (mount(m->type, m->where, m->type, 0, m->options))
		say("no %s: %s", m->where, strerror(errno));
}

/* The modules that the lab itself needs: one path a line, in the order of loading. */
static void load_modules(const char *list)
{
	char path[256];
	FILE *f = fopen(list, "re");

	if (!f)
		give_up(list);
	while (fgets(path, sizeof(path), f)) {
		path[strcspn(path, "\n")] = 0;
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			say("%s: %s", path, strerror(errno));
		close(fd);
	}
	fclose(f);
}

/* A port of the virtio console by its name; -1: not there (yet). */
static int find_port(const char *name)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	const struct dirent *e;
	int fd = -1;

	while (dir && fd < 0 && (e = readdir(dir))) {
		char path[320], text[32] = "";

		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name",
			 e->d_name);
		FILE *f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(text, sizeof(text), f) && !strncmp(text, name, strlen(name)) &&
		    text[strlen(name)] == '\n') {
			snprintf(path, sizeof(path), "/dev/%s", e->d_name);
			fd = open(path, O_WRONLY | O_CLOEXEC);
		}
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return fd;
}

/* Ports appear a moment after their driver. */
static int open_port(const char *name)
{
	for (int tries = 0; tries < 500; tries++) {
		int fd = find_port(name);

		if (fd >= 0)
			return fd;
		usleep(10000);
	}
	errno = ENODEV;
	give_up(name);
}

/* The machine's file system, and the layer above it, become the root. */
static void enter_machine(const char *modules)
{
	static const char *const folders[] = {"/machine", "/layer", "/root"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		mkdir(folders[i], 0755);
	if (mount("machine", "/machine", "9p", MS_RDONLY,
		  "trans=virtio,version=9p2000.L,cache=loose,msize=262144"))
		give_up("the machine's file system");
	if (mount("tmpfs", "/layer", "tmpfs", 0, ""))
		give_up("/layer");
	mkdir("/layer/upper", 0755);
	mkdir("/layer/work", 0755);
	if (mount("overlay", "/root", "overlay", 0,
		  "lowerdir=/machine,upperdir=/layer/upper,workdir=/layer/work"))
		give_up("the layer above the machine's file system");
	if (chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") ||
	    chdir("/"))
		give_up("the new root");
	for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++)
		mount_one(&late[i]);
	/* modprobe, also when the kernel calls it, finds this kernel's */
	mkdir("/lib/modules", 0755);
	if (mount(modules, "/lib/modules", NULL, MS_BIND, NULL))
		say("no modules: %s", strerror(errno));
}

static void loopback_up(void)
{
	struct ifreq req = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req))
		say("no loopback: %s", strerror(errno));
	close(fd);
}

/* The command's exit status as a shell says it. */
static int run(const char *script, int out, int err)
{
	pid_t pid = fork(), ended;
	int state = 0;

	if (pid < 0)
		give_up("fork");
	if (!pid) {
		setsid();
		int null = open("/dev/null", O_RDONLY);
		if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
			_exit(LAB_FAILED);
		close(null);
		execl("/bin/sh", "sh", script, (char *)NULL);
		_exit(LAB_FAILED);
	}
	/* orphans come to the first process, too */
	do
		ended = wait(&state);
	while (ended != pid && (ended > 0 || errno == EINTR));
	return WIFSIGNALED(state) ? 128 + WTERMSIG(state) : WEXITSTATUS(state);
}

int main(void)
{
	struct timespec now;

	for (size_t i = 0; i < sizeof(early) / sizeof(early[0]); i++)
		mount_one(&early[i]);
	load_modules("/modules");
	/* from the kernel's command line: what it does not know becomes environment */
	const char *folder = getenv("lab_run"), *modules = getenv("lab_modules");
	if (!folder || !modules) {
		errno = EINVAL;
		give_up("lab_run and lab_modules of the command line");
	}
	int report = open_port("status"), out = open_port("out"), err = open_port("err");
	char script[512];

	enter_machine(modules);
	loopback_up();
	sethostname("lab", 3);
	snprintf(script, sizeof(script), "%s/command", folder);
	clock_gettime(CLOCK_MONOTONIC, &now);
	dprintf(report, "up %ld.%ld\n", (long)now.tv_sec, now.tv_nsec / 100000000);
	dprintf(report, "exit %d\n", run(script, out, err));
	power_off();
}
