import type { logFormats, logLevels } from '../core/log-options.ts';

/** The options of any command, as commander hands them over. */
export type ParsedOptions = Record<string, never> & CommandOptions;

interface CommandOptions {
  readonly state?: string;
  readonly format: 'text' | 'json' | 'markdown' | 'github' | 'sarif';
  readonly emulate?: boolean;
  readonly dryRun?: boolean;
  readonly refresh?: boolean;
  readonly lockTimeout?: string;
  readonly once?: boolean;
  readonly detailedExitcode?: boolean;
  readonly blame?: boolean;
  readonly out?: string;
  readonly plan?: string;
  readonly timeout: string;
  readonly reconcile?: boolean;
  readonly logLevel: (typeof logLevels)[number];
  readonly logFormat?: (typeof logFormats)[number];
  readonly debounce: string;
  readonly resync: string;
  readonly historyRetention?: string;
  readonly listen: string;
  readonly api?: readonly string[];
  readonly environment?: readonly string[];
  readonly limit: number;
  readonly versions?: readonly string[];
  readonly seed?: string;
  readonly host: string;
  readonly port: number;
  readonly fault?: readonly string[];
  readonly latency?: string;
  readonly throttle?: string;
  readonly retryAfter?: boolean;
  readonly tokenLife?: string;
  readonly readLag?: string;
  readonly randomSeed?: number;
  readonly endpoint?: string;
  readonly project?: string;
  readonly instance?: string;
  readonly iam?: string;
  readonly by: string;
  readonly reason: string;
  readonly expires: string;
  readonly watch?: boolean;
}
