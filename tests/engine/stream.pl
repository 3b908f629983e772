# A TCP connection that tells when it is disturbed.
#
#	stream.pl echo PORT			sends back what comes in, and at the end, in four bytes, how many segments it sent again
#	stream.pl run HOST PORT SECONDS		sends numbered blocks and has all of them sent back
#
# The latter prints: blocks, the longest time in ms in which nothing came back, and the segments sent again by either end.
use strict;
use warnings;
use IO::Select;
use IO::Socket::IP;
use Socket qw(IPPROTO_TCP SHUT_WR);
use Time::HiRes qw(time);

use constant { LENGTH => 4000, INTERVAL => 0.01, PATIENCE => 5, TCP_INFO => 11, TOTAL_RETRANS => 100 }; # linux/tcp.h: where in struct tcp_info

sub sent_again { unpack 'x' . TOTAL_RETRANS . ' L', getsockopt $_[0], IPPROTO_TCP, TCP_INFO }
sub block { sprintf('%08d', $_[0]) x (LENGTH / 8) }
sub send_all {
	my ($socket, $data) = @_;
	while (length $data) { substr $data, 0, syswrite($socket, $data) // die("cannot send: $!\n"), '' }
}

my ($role, @arguments) = @ARGV;
if ($role eq 'echo') {
	my $listening = IO::Socket::IP->new(LocalHost => '::', LocalPort => $arguments[0], V6Only => 0, Listen => 9) // die $@;
	$SIG{CHLD} = 'IGNORE';
	while (my $socket = $listening->accept) {
		next if fork;
		my $data;
		send_all($socket, $data) while sysread $socket, $data, 65536;
		send_all($socket, pack 'N', sent_again($socket));
		exit;
	}
}

my ($host, $port, $seconds) = @arguments;
my $socket = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Timeout => 5) // die "cannot connect: $@\n";
my $all = IO::Select->new($socket);
my ($sent, $back, $longest, $buffer) = (0, 0, 0, '');
my $end = time + $seconds;
my $heard = my $next = time;
while (1) {
	if (time >= $next && $next < $end) {
		send_all($socket, block($sent++));
		$next += INTERVAL;
		shutdown $socket, SHUT_WR if $next >= $end;
	}
	time < $heard + PATIENCE or die "$back of $sent blocks came back, and nothing any more\n";
	my $wait = $next < $end ? $next - time : 1;
	next if !$all->can_read($wait > 0 ? $wait : 0);
	my $length = sysread($socket, $buffer, 65536, length $buffer) // die "broken after $back blocks: $!\n";
	my $gap = time - $heard;
	$longest = $gap if $gap > $longest;
	$heard += $gap;
	last if !$length;
	for (; length $buffer >= LENGTH; $back++) {
		substr($buffer, 0, LENGTH, '') eq block($back) or die "block $back is not what was sent\n";
	}
}
$back == $sent && length $buffer == 4 or die "$back of $sent blocks came back\n";
printf "%d blocks %d ms %d again\n", $back, $longest * 1000, sent_again($socket) + unpack 'N', $buffer;
