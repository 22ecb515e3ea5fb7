#!/bin/sh
# Makes the films, songs and pictures of this folder anew, by ffmpeg 5 or newer; the tests do not need it.
set -eu
cd "$(dirname "$0")"
make() { ffmpeg -v error -y -bitexact "$@"; }
tone() { echo "sine=440:duration=$1:sample_rate=$2"; }
film="-f lavfi -i testsrc=size=32x16:rate=5:duration=3 -f lavfi -i $(tone 3 16000) -map 0 -map 1"
named="-metadata title=Täst -metadata artist=Who"

# As browsers record them: to a pipe, so that no length is known.
make $film -c:v libvpx -b:v 5k -g 5 -c:a libopus -b:a 6k -live 1 -f webm - > live.webm
make $film -c:v libx264 -g 5 -c:a aac -b:a 8k -movflags frag_keyframe+empty_moov+default_base_moof -f mp4 - > fragmented.mp4
make $film -c:v libx264 -g 5 -c:a aac -b:a 8k -movflags frag_keyframe -f mp4 - > first-in-index.mp4
make -f lavfi -i "$(tone 1 8000)" -c:a pcm_u8 -f wav - > piped.wav
make -f lavfi -i "$(tone 1 8000)" -c:a flac -f flac - > piped.flac
make -f lavfi -i "$(tone 3 16000)" -c:a aac -b:a 8k adts.aac
make -f lavfi -i "$(tone 6 16000)" -c:a libmp3lame -b:a 8k -write_xing 0 -id3v2_version 0 constant.mp3
make -f lavfi -i "anoisesrc=duration=2:sample_rate=16000,apad=whole_dur=6" -c:a libmp3lame -q:a 9 -write_xing 0 -id3v2_version 4 $named variable.mp3
make -f lavfi -i "$(tone 3 16000)" -c:a libmp3lame -q:a 9 -id3v2_version 3 $named xing.mp3
# With a length, and names.
make $film -c:v libvpx -b:v 5k -c:a libopus -b:a 6k whole.mkv
make $film -c:v mpeg4 -b:v 5k -c:a aac -b:a 8k whole.mov
make -f lavfi -i "$(tone 1 8000)" -c:a flac $named song.flac
make -f lavfi -i "$(tone 1 8000)" -c:a flac $named flac.oga
make -f lavfi -i "$(tone 3 16000)" -c:a libopus -b:a 6k $named song.opus
make -f lavfi -i "$(tone 3 16000)" -c:a libvorbis -q:a 0 $named song.ogg
make -f lavfi -i "$(tone 1 8000)" -c:a pcm_u8 $named song.wav
make -f lavfi -i "$(tone 0.5 8000)" -write_id3v2 1 $named song.aiff
make -f lavfi -i "$(tone 1 16000)" -c:a wmav2 -b:a 24k $named song.wma
make -f lavfi -i "$(tone 3 16000)" -c:a aac -b:a 8k $named song.m4a
for kind in png gif bmp tiff webp jpg avif; do
  make -f lavfi -i "testsrc=size=30x20:rate=1:duration=1" -frames:v 1 picture.$kind
done
