export default function StudioPage() { return null; }
