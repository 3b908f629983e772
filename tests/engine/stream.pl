# A TCP connection that tells when it is disturbed.
#
#	stream.pl echo PORT			sends back what comes in, and at the end how many segments it has sent again
#	stream.pl run HOST PORT BLOCKS INTERVAL	sends numbered blocks, one each so many seconds, and has all of them sent back
#
# The latter prints: blocks, the longest time in ms in which nothing came back, the segments sent again by either end.
use strict;
use warnings;
use IO::Select;
use IO::Socket::IP;
use Socket qw(IPPROTO_TCP SHUT_WR);
use Time::HiRes qw(time);

use constant { LENGTH => 4000, PATIENCE => 5 };
use constant { TCP_INFO => 11, TOTAL_RETRANS => 100 }; # linux/tcp.h: where in struct tcp_info

sub sent_again { unpack '@' . TOTAL_RETRANS . ' L', getsockopt $_[0], IPPROTO_TCP, TCP_INFO }
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
		my $before = sent_again($socket); # as it began
		my $data;
		send_all($socket, $data) while sysread $socket, $data, 65536;
		send_all($socket, pack 'N', sent_again($socket) - $before);
		exit;
	}
}

my ($host, $port, $blocks, $interval) = @arguments;
my $socket = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Timeout => 5) // die "cannot connect: $@\n";
my $before = sent_again($socket);
my $all = IO::Select->new($socket);
my ($sent, $back, $longest, $buffer) = (0, 0, 0, '');
my $heard = my $next = time;
$SIG{ALRM} = sub { die "$back of $sent blocks came back, and nothing any more\n" };
alarm PATIENCE;
while (1) {
	if ($sent < $blocks && time >= $next) {
		send_all($socket, block($sent++));
		$next += $interval;
		shutdown $socket, SHUT_WR if $sent == $blocks;
	}
	my $wait = $sent < $blocks ? $next - time : 1;
	next if !$all->can_read($wait > 0 ? $wait : 0);
	my $length = sysread($socket, $buffer, 65536, length $buffer) // die "broken after $back blocks: $!\n";
	alarm PATIENCE;
	my $gap = time - $heard;
	$longest = $gap if $gap > $longest;
	$heard += $gap;
	last if !$length;
	for (; length $buffer >= LENGTH; $back++) {
		substr($buffer, 0, LENGTH, '') eq block($back) or die "block $back is not what was sent\n";
	}
}
$back == $sent && length $buffer == 4 or die "$back of $sent blocks came back\n";
my $again = sent_again($socket) - $before + unpack 'N', $buffer;
printf "%d blocks, %d ms, %d again\n", $back, $longest * 1000, $again;
