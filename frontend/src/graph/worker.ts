import { answer } from './far';

self.onmessage = ({ data }: MessageEvent<Parameters<typeof answer>[0]>) => self.postMessage(answer(data));
