import {
  BadgeCheck,
  Box,
  BrainCircuit,
  Code,
  Database,
  FileCheck,
  FileText,
  Rocket,
  SquareStack,
  SquareTerminal,
  Tag,
  UserCheck,
  type LucideIcon,
} from 'lucide-react';

const ICONS: Record<string, LucideIcon> = {
  python: Code,
  shell: SquareTerminal,
  check: FileCheck,
  approval: UserCheck,
  register: Tag,
  deploy: Rocket,
  group: SquareStack,
  deployment: Rocket,
  model_version: BrainCircuit,
  artifact: Database,
  record: BadgeCheck,
  file: FileText,
};

/** The icon of a task kind, or of a thing in a trace. */
export function KindIcon({ kind, size = 16 }: { kind: string; size?: number }) {
  const Icon = ICONS[kind] ?? Box;
  return <Icon size={size} aria-hidden strokeWidth={1.75} />;
}
