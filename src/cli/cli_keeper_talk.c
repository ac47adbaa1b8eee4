/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_keeper_talk.h"

#include <string.h>
#include <sys/socket.h>

#include "util/util_base.h"

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

/* Without an address or anything else that is not bytes: the sandbox of the
 * daemon allows no more. */
int keeper_send(int socket, const struct keeper_question *question)
{
	ssize_t n;

	do {
		n = send(socket, question, sizeof(*question), MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*question) ? 0 : -EIO;
}

int keeper_receive(int socket, struct keeper_question *ret)
{
	ssize_t n;

	do {
		n = recv(socket, ret, sizeof(*ret), 0);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*ret))
		return 0;
	if (ret->verb == KEEPER_WAS_LAST) {
		ret->paths.count = MIN(ret->paths.count, ARRAY_SIZE(ret->paths.text));
		for (unsigned i = 0; i < ret->paths.count; i++)
			ret->paths.text[i][APPEND_PATH_ROOM - 1] = '\0';
	} else {
		ret->text[sizeof(ret->text) - 1] = '\0';
	}
	return 1;
}

int keeper_send_answer(int socket, const struct keeper_answer *answer, int fd)
{
	struct keeper_answer copy = *answer;
	struct iovec iov = {.iov_base = &copy, .iov_len = sizeof(copy)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	union control control = {0};
	struct cmsghdr *header;

	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int keeper_receive_answer(int socket, struct keeper_answer *ret, int *ret_fd)
{
	struct iovec iov = {.iov_base = ret, .iov_len = sizeof(*ret)};
	union control control = {0};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *header;
	ssize_t n;

	do {
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*ret))
		return -EIO;
	*ret_fd = -1;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(header), sizeof(*ret_fd));
	return 0;
}
